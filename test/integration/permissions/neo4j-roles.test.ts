/**
 * The roles for Neo4j, as far as a Community server can check them. It has Enterprise's parser, so
 * it shows that every statement is well formed. Only an Enterprise server could show that the roles
 * grant enough and no more.
 */
import { type Driver, Neo4jError } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  administer,
  type Neo4jPart,
  neo4jUsers,
  roleStatements,
  userStatements,
} from '../../../infra/permissions/apply-neo4j-roles.ts';
import { connectNeo4j } from '../../../lib/graph/neo4j-connect.ts';
import { pingNeo4j } from '../../../lib/graph/neo4j-ping.ts';
import { randomPassword, type SecuredNeo4j, startSecuredNeo4j } from './secured-servers.ts';

let neo4j: SecuredNeo4j;
let driver: Driver;
beforeAll(async () => {
  neo4j = await startSecuredNeo4j();
  driver = connectNeo4j(neo4j.address);
});
afterAll(async () => {
  await driver.close();
  await neo4j.stop();
});

/** The code of the server's answer. */
const answerTo = async (statement: string, parameters: object) => {
  try {
    await driver.executeQuery(statement, parameters, { database: 'system' });
    return 'done';
  } catch (error) {
    return error instanceof Neo4jError ? error.code : String(error);
  }
};

const unsupported = 'Neo.ClientError.Statement.UnsupportedAdministrationCommand';
const syntaxError = 'Neo.ClientError.Statement.SyntaxError';

describe('the roles, on a server without roles', () => {
  it('are statements that the server can parse', async () => {
    const statements = await roleStatements('neo4j');
    expect(statements.length).toBeGreaterThan(20);
    for (const { statement, parameters } of statements)
      expect(await answerTo(statement, parameters), statement).toStrictEqual(unsupported);
  });

  it('are syntax errors if a word is missing, so the parser does check them', async () => {
    for (const { statement, parameters } of await roleStatements('neo4j')) {
      const broken = statement.replace(/ (IF NOT|TO) /, ' ');
      expect(await answerTo(broken, parameters), broken).toStrictEqual(syntaxError);
    }
  });

  it('are refused as a whole, with a reason', async () => {
    await expect(administer(driver, await roleStatements('neo4j'))).rejects.toThrow('does not support custom roles');
  });

  it('have users that can be created and changed repeatedly, without their roles', async () => {
    for (const part of Object.keys(neo4jUsers) as Neo4jPart[]) {
      const [first, second] = [randomPassword(), randomPassword()];
      for (const password of [first, first, second]) {
        const statements = userStatements(part, password);
        await administer(driver, statements.slice(0, -1));
        const [grant] = statements.slice(-1);
        expect(await answerTo(grant?.statement ?? '', {})).toBe(unsupported);
        const { uri } = neo4j.address;
        const own = connectNeo4j({ uri, username: neo4jUsers[part].user, password });
        await pingNeo4j(own, 'neo4j').finally(() => own.close());
      }
    }
  });
});
