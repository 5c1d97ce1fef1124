/**
 * Proves that the server fills in positions: MongoDB replaces an empty timestamp with its own, also
 * in a transaction. Servers that imitate MongoDB store it as it is, or have no transactions. Without
 * positions, events would have no order.
 *
 * https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
 */
import { type ClientSession, type Collection, type Db, type Document, MongoServerError, Timestamp } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/** The problem of a server that imitates MongoDB, and its solution. */
export const imitation = {
  problem: 'the server does not fill in an empty timestamp in a transaction, so events would have no order',
  advice: 'Use MongoDB itself, 6.0 or newer: DocumentDB, Cosmos DB, FerretDB and other imitations are not supported.',
} as const;

/**
 * IllegalOperation, CommandNotFound, CommandNotSupported, NotImplemented,
 * OperationNotSupportedInTransaction; 303 is DocumentDB's code for an unsupported feature.
 */
const unsupportedCodes: ReadonlySet<unknown> = new Set([20, 59, 115, 238, 263, 303]);

/**
 * Inserts a document with an empty timestamp in a transaction, reads it back and aborts, so nothing
 * stays, and no change stream reports it. Needs `insert` and `find` on the collection, which need not
 * exist.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function fillsTimestamps(collection: Collection<Document>): Promise<boolean> {
  const insertAndReadBack = async (session: ClientSession): Promise<boolean> => {
    const { insertedId } = await collection.insertOne({ position: new Timestamp({ t: 0, i: 0 }) }, { session });
    const found = await collection.findOne({ _id: insertedId }, { session });
    await session.abortTransaction();
    return found?.position instanceof Timestamp && found.position.t > 0;
  };
  return withMongodbFaults(async () => {
    try {
      return await collection.db.client.withSession((session) =>
        session.withTransaction(insertAndReadBack, { readConcern: { level: 'local' } }),
      );
    } catch (error) {
      if (isUnsupported(error)) return false;
      throw error;
    }
  });
}

/** The driver wraps IllegalOperation in an error without a code. */
function isUnsupported(error: unknown): boolean {
  if (!(error instanceof MongoServerError)) return false;
  const { code } = error.originalError instanceof MongoServerError ? error.originalError : error;
  return unsupportedCodes.has(code);
}

/** @throws Fault `configuration-invalid` for a server that does not; `mongodb-unavailable`. */
export async function requireTimestamps(db: Db): Promise<void> {
  if (await fillsTimestamps(db.collection(identityCollection))) return;
  throw new Fault('configuration-invalid', `MONGODB_URI: ${imitation.problem}. ${imitation.advice}`);
}
