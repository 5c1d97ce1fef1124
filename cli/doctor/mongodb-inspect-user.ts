/**
 * Reads the privileges of the connected user, and finds those of each part's role that it lacks.
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

export interface UserPrivileges {
  /** Null without authentication. */
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

/** Whether the user has any right on the collection. Without one, the server does not list it. */
export function mayDoAnything({ granted }: UserPrivileges, database: string, collection: string): boolean {
  return granted.some(({ resource }) => covers(resource, database, collection));
}

/** An empty name matches all. https://www.mongodb.com/docs/manual/reference/resource-document/ */
function covers(
  { db, collection, anyResource }: GrantedPrivilege['resource'],
  database: string,
  name: string,
): boolean {
  if (anyResource === true) return true;
  return (db === '' || db === database) && (collection === '' || collection === name);
}

/** The user (null without authentication), and the privileges of each part that the user lacks. */
export interface UserFacts {
  readonly user: string | null;
  readonly parts: readonly {
    readonly part: string;
    /** As `action on collection`. */
    readonly lacks: readonly string[];
    /** The number of privileges that the part's role has. */
    readonly of: number;
  }[];
}

/**
 * @param writerCollections the collections of the documents.
 * @throws Fault `mongodb-unavailable`.
 */
export async function compareWithParts(db: Db, writerCollections: readonly string[]): Promise<UserFacts> {
  const user = await readUserPrivileges(db);
  // A writer may have the role of this part besides its own; alone it is every reader's.
  const compared = parts
    .filter((part) => part !== 'await')
    .map((part) => {
      const wanted = privilegesOf(part, writerCollections).flatMap(({ collection, actions }) =>
        actions.map((action) => ({ collection, action })),
      );
      const lacks = wanted.filter(({ collection, action }) => !user.may(db.databaseName, collection, action));
      return { part, lacks: lacks.map(({ collection, action }) => `${action} on ${collection}`), of: wanted.length };
    });
  return { user: user.name, parts: compared };
}
