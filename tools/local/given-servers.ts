/**
 * Checks whether the servers that the environment names can be reached, before anything uses them.
 */
import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import { StackError } from './stack-error.ts';

/** The variables that name running servers. */
export interface GivenServers {
  readonly MONGODB_URI: string | undefined;
  readonly NEO4J_URI: string | undefined;
  readonly NEO4J_USERNAME: string | undefined;
  readonly NEO4J_PASSWORD: string | undefined;
  readonly AWS_ENDPOINT_URL: string | undefined;
}

/** @throws StackError that names the variable whose server cannot be used, and why. */
export async function checkGiven(given: GivenServers): Promise<void> {
  if (given.MONGODB_URI !== undefined) await checkMongodb(given.MONGODB_URI);
  if (given.NEO4J_URI !== undefined) await checkNeo4j(given.NEO4J_URI, given.NEO4J_USERNAME, given.NEO4J_PASSWORD);
  if (given.AWS_ENDPOINT_URL !== undefined) await checkLocalstack(given.AWS_ENDPOINT_URL);
}

async function checkMongodb(uri: string): Promise<void> {
  const hello = await withReason('MONGODB_URI', async () => {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
    try {
      return await client.db('admin').command({ hello: 1 });
    } finally {
      await client.close();
    }
  });
  if (hello.setName === undefined && hello.msg !== 'isdbgrid') {
    throw new StackError(
      'MONGODB_URI names a single MongoDB server: transactions and change streams need a replica set.',
    );
  }
}

async function checkNeo4j(uri: string, username: string | undefined, password: string | undefined): Promise<void> {
  await withReason('NEO4J_URI', async () => {
    const driver = neo4j.driver(uri, username === undefined ? undefined : neo4j.auth.basic(username, password ?? ''), {
      connectionTimeout: 5_000,
      maxTransactionRetryTime: 0,
    });
    try {
      await driver.verifyConnectivity();
    } finally {
      await driver.close();
    }
  });
}

async function checkLocalstack(endpointUrl: string): Promise<void> {
  await withReason('AWS_ENDPOINT_URL', () =>
    fetch(`${endpointUrl}/_localstack/health`, { signal: AbortSignal.timeout(5_000) }),
  );
}

async function withReason<Result>(variable: string, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt();
  } catch (error) {
    const reason = error instanceof Error ? error.name : String(error);
    throw new StackError(
      `${variable} is set, but its server cannot be used (${reason}): correct it, or unset it to have one started.`,
    );
  }
}
