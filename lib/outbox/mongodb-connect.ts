/**
 * Creates the MongoDB client of a process, shared by all flows and kept across warm invocations.
 */
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { idleLimitMillis } from '../runtime/idle-limit.ts';
import { withMongodbFaults } from './mongodb-errors.ts';

/**
 * Creates a client. It connects with the first operation, so an unreachable server fails there
 * after ten seconds, well below the functions' time-outs. Writes must survive a failover
 * (majority), and reads must not see data that may be rolled back.
 *
 * @throws Fault `configuration-invalid` for an address that the driver does not accept.
 */
export function connectMongodb(
  uri: string,
  { selectionMillis = 10_000, idleMillis = idleLimitMillis } = {},
): MongoClient {
  const client: MongoClient & { topology?: unknown } = createClient(uri, {
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

/** @throws Fault that quotes nothing of the address: the driver's error may quote a value. */
function createClient(uri: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri, options);
  } catch (error) {
    throw new Fault(
      'configuration-invalid',
      `MONGODB_URI: the driver does not accept it${optionText(error)}. Correct its options: ` +
        'https://www.mongodb.com/docs/manual/reference/connection-string-options/',
      { cause: error },
    );
  }
}

/** The names of unknown options. */
function optionText(error: unknown): string {
  const [, names] =
    /^options? ([\w, ]+) (?:is|are) not supported$/.exec(error instanceof Error ? error.message : '') ?? [];
  return names === undefined ? '' : `: it does not know ${names}`;
}

/** Resolves when the primary has responded to a ping. @throws Fault `mongodb-unavailable`. */
export async function pingMongodb(db: Db): Promise<void> {
  await withMongodbFaults(() => db.command({ ping: 1 }));
}
