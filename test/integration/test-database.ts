/** A MongoDB database of a test file's own, set up like a deployment's, and dropped at the end. */
import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { setUpOutbox } from '../../lib/mongodb/set-up-outbox.ts';
import { stack } from '../stack.ts';

export interface TestDatabase {
  readonly client: MongoClient;
  readonly db: Db;
  readonly drop: () => Promise<void>;
}

/** Makes the database; call `drop` after the tests. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const client = new MongoClient(stack.mongodbUri);
  const db = client.db(`outgraph_test_${randomBytes(6).toString('hex')}`);
  await setUpOutbox(db, { processedRetentionSeconds: 3600 });
  return {
    client,
    db,
    drop: async () => {
      await db.dropDatabase();
      await client.close();
    },
  };
}
