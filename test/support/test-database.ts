/**
 * A separate MongoDB database for one test file, set up like a deployment's and dropped at the end.
 */
import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { graphAddress } from './connect-graph.ts';
import { shareOutboxId } from './outbox-id.ts';
import { servers } from './servers.ts';

export interface TestDatabase {
  readonly client: MongoClient;
  readonly db: Db;
  /** The settings for a part that uses this database and the stack's graph. */
  readonly settings: DatabaseSettings;
  readonly drop: () => Promise<void>;
}

type DatabaseSettings = Readonly<
  Record<'MONGODB_URI' | 'MONGODB_DATABASE' | 'NEO4J_URI' | 'NEO4J_USERNAME' | 'NEO4J_PASSWORD', string>
>;

/** Creates the database. Call `drop` after the tests. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const client = new MongoClient(servers.mongodbUri);
  const graph = graphAddress(servers);
  const db = client.db(`outgraph_test_${randomBytes(6).toString('hex')}`);
  await shareOutboxId(db);
  await setUpOutbox(db, { processedRetentionSeconds: 3600 });
  return {
    client,
    db,
    settings: {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_DATABASE: db.databaseName,
      NEO4J_URI: graph.uri,
      NEO4J_USERNAME: graph.username,
      NEO4J_PASSWORD: graph.password,
    },
    drop: async () => {
      await db.dropDatabase();
      await client.close();
    },
  };
}
