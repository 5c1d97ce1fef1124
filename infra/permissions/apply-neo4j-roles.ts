/**
 * Applies `neo4j-roles.cypher` to a Neo4j that supports custom roles (Enterprise; Aura Business
 * Critical and Virtual Dedicated Cloud). For each part that has a password in the environment, it
 * also creates a user. Run it again to change a password. Run it as an administrator.
 *
 *     NEO4J_URI=… NEO4J_USERNAME=… NEO4J_PASSWORD=… NEO4J_CONSUMER_PASSWORD=… \
 *       node infra/permissions/apply-neo4j-roles.ts
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { translateNeo4jError } from '../../lib/graph/neo4j-errors.ts';
import { readPasswords, runScript } from './script.ts';

/**
 * The user and the roles of each part that uses the graph. The publisher does not use it, and the
 * operator's commands need no separate user.
 */
export const neo4jUsers = {
  consumer: { user: 'outgraph_consumer', roles: ['outgraph_consumer'] },
  sweep: { user: 'outgraph_sweep', roles: ['outgraph_sweep'] },
  'set-up': { user: 'outgraph_set_up', roles: ['outgraph_set_up'] },
  worker: { user: 'outgraph_worker', roles: ['outgraph_consumer', 'outgraph_sweep'] },
} as const;

export type Neo4jPart = keyof typeof neo4jUsers;

/** A Cypher statement for the database `system`. */
export interface Administration {
  readonly statement: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Matches an error that means that the statement has nothing to change. */
  readonly unless?: RegExp;
}

/** Neo4j refuses to replace a password with the same password. */
const samePassword = /old password and new password cannot be the same/i;

/** The statements that create the roles, in the order of the file. */
export async function roleStatements(database: string): Promise<readonly Administration[]> {
  const script = await readFile(path.join(import.meta.dirname, 'neo4j-roles.cypher'), 'utf8');
  const lines = script.split('\n').filter((line) => !line.startsWith('//'));
  const statements = lines.join('\n').split(';');
  return statements
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
    .map((statement) => ({ statement, parameters: { database } }));
}

/** The statements that create a part's user or change its password. */
export function userStatements(part: Neo4jPart, password: string): readonly Administration[] {
  const { user, roles } = neo4jUsers[part];
  const set = 'SET PASSWORD $password CHANGE NOT REQUIRED';
  const parameters = { password };
  return [
    { statement: `CREATE USER ${user} IF NOT EXISTS ${set}`, parameters },
    { statement: `ALTER USER ${user} ${set}`, parameters, unless: samePassword },
    { statement: `GRANT ROLE ${roles.join(', ')} TO ${user}`, parameters: {} },
  ];
}

/**
 * Runs the statements in order.
 *
 * @throws Error if this Neo4j does not support custom roles; Fault `permission-denied` if the
 * driver's user is not an administrator.
 */
export async function administer(driver: Driver, statements: readonly Administration[]): Promise<void> {
  for (const { statement, parameters, unless } of statements) {
    try {
      await driver.executeQuery(statement, parameters, { database: 'system' });
    } catch (error) {
      if (error instanceof Neo4jError && unless?.test(error.message) === true) continue;
      if (error instanceof Neo4jError && error.code === 'Neo.ClientError.Statement.UnsupportedAdministrationCommand') {
        throw new Error(
          'This Neo4j does not support custom roles (Community, Aura Free and Aura Professional do not): every user ' +
            'may do everything. Nothing was changed.',
        );
      }
      throw translateNeo4jError(error);
    }
  }
}

async function run(): Promise<string> {
  const { NEO4J_URI, NEO4J_USERNAME = '', NEO4J_PASSWORD = '', NEO4J_DATABASE = 'neo4j' } = process.env;
  if (NEO4J_URI === undefined)
    throw new Error('Set NEO4J_URI, NEO4J_USERNAME and NEO4J_PASSWORD to those of an administrator.');
  const given = readPasswords('NEO4J', Object.keys(neo4jUsers) as Neo4jPart[]);
  const driver = neo4j.driver(NEO4J_URI, neo4j.auth.basic(NEO4J_USERNAME, NEO4J_PASSWORD));
  try {
    await administer(driver, await roleStatements(NEO4J_DATABASE));
    for (const [part, password] of given) await administer(driver, userStatements(part, password));
  } finally {
    await driver.close();
  }
  const users = [...given.keys()].map((part) => neo4jUsers[part].user).join(', ') || 'none (no password was given)';
  return `Roles applied.\nUsers created or changed: ${users}.\n`;
}

if (import.meta.main) await runScript(run);
