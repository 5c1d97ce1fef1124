/**
 * The outbox's id, a UUID in its own collection. The set-up also writes it into the graph, so that
 * two outboxes never feed one graph.
 */

import { randomUUID } from 'node:crypto';
import { type Db, MongoServerError } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

interface Identity {
  readonly _id: string;
  readonly outboxId: string;
}

const documentId = 'outbox';
const duplicateKeyCode = 11_000;

/** Assigns an id to the outbox, unless it has one. @throws Fault `mongodb-unavailable`. */
export async function ensureOutboxId(db: Db): Promise<'made' | 'kept'> {
  const identity = { _id: documentId, outboxId: randomUUID() };
  return withMongodbFaults(async () => {
    try {
      await db.collection<Identity>(identityCollection).insertOne(identity, { writeConcern: { w: 'majority' } });
      return 'made';
    } catch (error) {
      if (error instanceof MongoServerError && error.code === duplicateKeyCode) return 'kept';
      throw error;
    }
  });
}

/** @throws Fault `set-up-missing` if the outbox has no id; `mongodb-unavailable`. */
export async function readOutboxId(db: Db): Promise<string> {
  const identity = await withMongodbFaults(() =>
    db.collection<Identity>(identityCollection).findOne({ _id: documentId }),
  );
  if (identity !== null) return identity.outboxId;
  throw new Fault(
    'set-up-missing',
    `The outbox of the database ${db.databaseName} has no id in ` +
      `${identityCollection}. Apply the set-up first (npx outgraph set-up).`,
  );
}
