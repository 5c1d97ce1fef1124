/** Opens the one MongoDB client of a process; it is kept over warm calls and shared by all flows. */
import { type Db, MongoClient } from 'mongodb';
import { withMongodbFaults } from './mongodb-errors.ts';

/**
 * Connects lazily: an unreachable server shows at the first operation, after ten seconds, which is well below the
 * functions' time-outs. What is written must survive a failover (majority), and what is read must not be rolled back.
 */
export function connectMongodb(uri: string, { selectionMillis = 10_000 } = {}): MongoClient {
  const client: MongoClient & { topology?: unknown } = new MongoClient(uri, {
    appName: 'outgraph',
    maxPoolSize: 10,
    serverSelectionTimeoutMS: selectionMillis,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: 45_000,
    retryReads: true,
    retryWrites: true,
    readPreference: 'primary',
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  });
  // A client whose first connection failed would answer "Topology is closed" for ever: without it, the next operation
  // connects again. After `close`, the driver itself refuses further operations.
  return client.on('topologyClosed', () => {
    delete client.topology;
  });
}

/** Resolves when the primary has answered. @throws Fault `mongodb-unavailable`. */
export async function pingMongodb(db: Db): Promise<void> {
  await withMongodbFaults(() => db.command({ ping: 1 }));
}
