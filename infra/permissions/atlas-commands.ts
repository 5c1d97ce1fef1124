/**
 * The roles as commands of the Atlas CLI: Atlas accepts no `createRole` from a driver, and reverts changes that bypass
 * Atlas.
 *
 * https://www.mongodb.com/docs/atlas/cli/current/command/atlas-customDbRoles-create/
 */
import { type Action, type Part, parts, privilegesOf, roleName } from '../../lib/set-up/mongodb-roles.ts';

/** https://www.mongodb.com/docs/atlas/reference/custom-role-actions/ */
const atlasActions: Readonly<Record<Action, string>> = {
  find: 'FIND',
  insert: 'INSERT',
  update: 'UPDATE',
  remove: 'REMOVE',
  changeStream: 'CHANGE_STREAM',
  listIndexes: 'LIST_INDEXES',
  createCollection: 'CREATE_COLLECTION',
  createIndex: 'CREATE_INDEX',
  dropIndex: 'DROP_INDEX',
  collMod: 'COLL_MOD',
  bypassDocumentValidation: 'BYPASS_DOCUMENT_VALIDATION',
};

/** The input of {@link atlasCommands}. */
export interface AtlasRequest {
  readonly database: string;
  readonly writerCollections: readonly string[];
}

/**
 * A command for each role, which creates or updates it, and one for each user, which asks for the password.
 */
export function atlasCommands({ database, writerCollections }: AtlasRequest): readonly string[] {
  const roles = parts.map((part) => {
    const privileges = quote(atlasPrivileges(part, database, writerCollections).join());
    const role = quote(roleName(part, database));
    const update = `atlas customDbRoles update ${role} --privilege ${privileges}`;
    return `atlas customDbRoles create ${role} --privilege ${privileges} || ${update}`;
  });
  const users = parts.map((part) => {
    const name = quote(roleName(part, database));
    return `atlas dbusers create --username ${name} --role ${quote(`${roleName(part, database)}@admin`)}`;
  });
  return [...roles, ...users];
}

function atlasPrivileges(part: Part, database: string, writerCollections: readonly string[]): readonly string[] {
  return privilegesOf(part, writerCollections).flatMap(({ collection, actions }) =>
    actions.map((action) => `${atlasActions[action]}@${database}.${collection}`),
  );
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
