/**
 * Creates or updates the roles of all parts in a self-hosted MongoDB. For each role that has a
 * password in the environment, it also creates a user. Run it again to change a password. Run it as
 * an administrator (`userAdminAnyDatabase`).
 *
 *     MONGODB_URI=… MONGODB_DATABASE=shop MONGODB_PUBLISHER_PASSWORD=… \
 *       node infra/permissions/apply-mongodb-roles.ts --writes people --writes orders
 *     MONGODB_DATABASE=shop node infra/permissions/apply-mongodb-roles.ts --writes people --atlas
 *
 * The second command only prints the commands that do the same in Atlas.
 */
import { parseArgs } from 'node:util';
import { type Db, type Document, MongoClient } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { type Part, type Privilege, parts, privilegesOf, roleName } from '../../lib/set-up/mongodb-roles.ts';
import { atlasCommands } from './atlas-commands.ts';
import { readPasswords, runScript } from './script.ts';

/** The input of {@link applyMongodbRoles}. */
export interface RolesRequest {
  /** The database of the documents and their outbox. */
  readonly database: string;
  /** The collections that writers read and write. */
  readonly writerCollections: readonly string[];
  /** Passwords of the users to create or change. */
  readonly passwords: Partial<Readonly<Record<Part, string>>>;
}

/**
 * Applies the roles and users, and returns the users' names.
 *
 * @throws Fault `permission-denied` if the client's user is not an administrator.
 */
export async function applyMongodbRoles(client: MongoClient, request: RolesRequest): Promise<readonly string[]> {
  const { database, writerCollections, passwords } = request;
  const admin = client.db('admin');
  const users: string[] = [];
  for (const part of parts) {
    const role = roleName(part, database);
    const privileges = privilegesOf(part, writerCollections);
    await withMongodbFaults(() => applyRole(admin, role, database, privileges));
    const password = passwords[part];
    if (password === undefined) continue;
    await withMongodbFaults(() => applyUser(admin, role, password));
    users.push(role);
  }
  return users;
}

async function applyRole(admin: Db, role: string, db: string, wanted: readonly Privilege[]): Promise<void> {
  const { roles } = await admin.command({ rolesInfo: { role, db: 'admin' } });
  const privileges = wanted.map(({ collection, actions }) => ({ resource: { db, collection }, actions }));
  const command: Document = roles.length === 0 ? { createRole: role } : { updateRole: role };
  await admin.command({ ...command, privileges, roles: [], writeConcern: { w: 'majority' } });
}

/** Gives the user the name of the role. */
async function applyUser(admin: Db, name: string, password: string): Promise<void> {
  const { users } = await admin.command({ usersInfo: { user: name, db: 'admin' } });
  const command: Document = users.length === 0 ? { createUser: name } : { updateUser: name };
  const roles = [{ role: name, db: 'admin' }];
  await admin.command({ ...command, pwd: password, roles, writeConcern: { w: 'majority' } });
}

async function run(): Promise<string> {
  const { values } = parseArgs({ options: { atlas: { type: 'boolean' }, writes: { type: 'string', multiple: true } } });
  const { MONGODB_URI, MONGODB_DATABASE: database = 'outgraph' } = process.env;
  const writerCollections = values.writes ?? [];
  if (values.atlas === true) return `${atlasCommands({ database, writerCollections }).join('\n')}\n`;
  if (MONGODB_URI === undefined) throw new Error('Set MONGODB_URI to the URI of an administrator, or pass --atlas.');
  const client = new MongoClient(MONGODB_URI);
  try {
    const users = await applyMongodbRoles(client, {
      database,
      writerCollections,
      passwords: Object.fromEntries(readPasswords('MONGODB', parts)),
    });
    const roles = parts.map((part) => roleName(part, database)).join(', ');
    const changed = users.join(', ') || 'none (no password was given)';
    return `Roles applied: ${roles}.\nUsers created or changed: ${changed}.\n`;
  } finally {
    await client.close();
  }
}

if (import.meta.main) await runScript(run);
