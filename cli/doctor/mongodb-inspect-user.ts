/**
 * What the connected user may do, as the server says, and what each part's role has that it has not.
 *
 * https://www.mongodb.com/docs/manual/reference/command/connectionStatus/
 */
import type { Db } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { parts, privilegesOf } from '../../lib/set-up/mongodb-roles.ts';

interface GrantedPrivilege {
  readonly resource: { readonly db?: string; readonly collection?: string; readonly anyResource?: boolean };
  readonly actions: readonly string[];
}

/** The user of a connection. */
export interface UserPrivileges {
  /** Null: the server asks nobody who they are. */
  readonly name: string | null;
  readonly granted: readonly GrantedPrivilege[];
  readonly may: (database: string, collection: string, action: string) => boolean;
}

/** @throws Fault `mongodb-unavailable`. */
export async function readUserPrivileges(db: Db): Promise<UserPrivileges> {
  const { authInfo } = await withMongodbFaults(() => db.command({ connectionStatus: 1, showPrivileges: true }));
  const name: string | null = authInfo.authenticatedUsers[0]?.user ?? null;
  const granted: readonly GrantedPrivilege[] = authInfo.authenticatedUserPrivileges;
  return {
    name,
    granted,
    may: (database, collection, action) =>
      name === null ||
      granted.some(({ resource, actions }) => covers(resource, database, collection) && actions.includes(action)),
  };
}

/** Whether the user has any right on the collection: without one, the server does not tell that it is there. */
export function mayDoAnything({ granted }: UserPrivileges, database: string, collection: string): boolean {
  return granted.some(({ resource }) => covers(resource, database, collection));
}

/** An empty name stands for all of them. https://www.mongodb.com/docs/manual/reference/resource-document/ */
function covers(
  { db, collection, anyResource }: GrantedPrivilege['resource'],
  database: string,
  name: string,
): boolean {
  if (anyResource === true) return true;
  return (db === '' || db === database) && (collection === '' || collection === name);
}

/**
 * A part, with what its role has that the user has not, as `action on collection`, and how much its role has at all.
 */
export interface PartFacts {
  readonly part: string;
  readonly lacks: readonly string[];
  readonly of: number;
}

/** @param writerCollections the collections of the documents. @throws Fault `mongodb-unavailable`. */
export async function compareWithParts(
  db: Db,
  writerCollections: readonly string[],
): Promise<{ readonly user: string | null; readonly parts: readonly PartFacts[] }> {
  const user = await readUserPrivileges(db);
  const compared = parts.map((part) => {
    const wanted = privilegesOf(part, writerCollections).flatMap(({ collection, actions }) =>
      actions.map((action) => ({ collection, action })),
    );
    const lacks = wanted.filter(({ collection, action }) => !user.may(db.databaseName, collection, action));
    return { part, lacks: lacks.map(({ collection, action }) => `${action} on ${collection}`), of: wanted.length };
  });
  return { user: user.name, parts: compared };
}
