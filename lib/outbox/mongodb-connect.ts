/**
 * Creates the MongoDB client of a process, shared by all flows and kept across warm invocations.
 */
import { type Db, MongoClient } from 'mongodb';
import { idleLimitMillis } from '../runtime/idle-limit.ts';
import { withMongodbFaults } from './mongodb-errors.ts';

/**
 * Creates a client. It connects with the first operation, so an unreachable server fails there
 * after ten seconds, well below the functions' time-outs. Writes must survive a failover
 * (majority), and reads must not see data that may be rolled back.
 */
export function connectMongodb(
  uri: string,
  { selectionMillis = 10_000, idleMillis = idleLimitMillis } = {},
): MongoClient {
  const client: MongoClient & { topology?: unknown } = new MongoClient(uri, {
    appName: 'outgraph',
    maxPoolSize: 10,
    maxIdleTimeMS: idleMillis,
    serverSelectionTimeoutMS: selectionMillis,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: 45_000,
    retryReads: true,
    retryWrites: true,
    readPreference: 'primary',
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  });
  // A client whose first connection failed would report "Topology is closed" forever. Without its
  // topology, the next operation reconnects. After `close`, the driver itself refuses further
  // operations.
  return client.on('topologyClosed', () => {
    delete client.topology;
  });
}

/** Resolves when the primary has responded to a ping. @throws Fault `mongodb-unavailable`. */
export async function pingMongodb(db: Db): Promise<void> {
  await withMongodbFaults(() => db.command({ ping: 1 }));
}
