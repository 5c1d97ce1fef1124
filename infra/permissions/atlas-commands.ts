/**
 * The roles as commands of the Atlas CLI. Atlas rejects `createRole` from a driver, and reverts
 * changes that bypass Atlas.
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

/** Without a scope, a user has its role on every cluster of the project. */
const cluster = `"\${ATLAS_CLUSTER:?Set it to the name of the cluster.}"`;

/** The input of {@link atlasCommands}. */
export interface AtlasRequest {
  readonly database: string;
  readonly writerCollections: readonly string[];
}

/**
 * Returns a command for each role that creates or updates it, and a command for each user that
 * prompts for the password. The shell's variable `ATLAS_CLUSTER` names the cluster of the users.
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
    const role = quote(`${roleName(part, database)}@admin`);
    return `atlas dbusers create --username ${name} --role ${role} --scope ${cluster}`;
  });
  return [...roles, ...users];
}

function atlasPrivileges(part: Part, database: string, writerCollections: readonly string[]): readonly string[] {
  return privilegesOf(part, writerCollections).flatMap(({ collection, actions }) =>
    actions.map((action) => `${atlasActions[action]}@${database}.${collection}`),
  );
}

/** Quotes for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
