/**
 * The outbox's id, a UUID in its own collection, and its source. The set-up also writes the id into
 * the graph, so that two outboxes never feed one graph, or one source of it.
 */

import { randomUUID } from 'node:crypto';
import { type Db, MongoServerError } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

interface Identity {
  readonly _id: string;
  readonly outboxId: string;
  /** Absent without a source. */
  readonly source?: string;
}

const documentId = 'outbox';
const duplicateKeyCode = 11_000;

/**
 * Assigns an id and this source to the outbox, unless it has an id.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function ensureOutboxId(db: Db, source: string): Promise<'made' | 'kept'> {
  const identity = { _id: documentId, outboxId: randomUUID(), ...(source !== '' && { source }) };
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

/** Gives an outbox that has an id this source. @throws Fault `mongodb-unavailable`. */
export async function adoptSource(db: Db, source: string): Promise<void> {
  const change = source === '' ? { $unset: { source: true as const } } : { $set: { source } };
  await withMongodbFaults(() =>
    db
      .collection<Identity>(identityCollection)
      .updateOne({ _id: documentId }, change, { writeConcern: { w: 'majority' } }),
  );
}

/**
 * Refuses an outbox of another source. An outbox that is not set up yet has none.
 *
 * @throws Fault `configuration-invalid`, `mongodb-unavailable`.
 */
export async function requireSource(db: Db, source: string): Promise<void> {
  const identity = await readIdentity(db);
  if (identity !== null) checkSource(db, identity, source);
}

/**
 * @param source the expected one; null if the outbox may have any.
 * @throws Fault `set-up-missing` if the outbox has no id; `configuration-invalid` if it has another
 * source; `mongodb-unavailable`.
 */
export async function readOutboxId(db: Db, source: string | null = ''): Promise<string> {
  const identity = await readIdentity(db);
  if (identity !== null) {
    if (source !== null) checkSource(db, identity, source);
    return identity.outboxId;
  }
  throw new Fault(
    'set-up-missing',
    `The outbox of the database ${db.databaseName} has no id in ` +
      `${identityCollection}. Apply the set-up first (npx outgraph set-up).`,
  );
}

function readIdentity(db: Db): Promise<Identity | null> {
  return withMongodbFaults(() => db.collection<Identity>(identityCollection).findOne({ _id: documentId }));
}

function checkSource(db: Db, { source: known = '' }: Identity, source: string): void {
  if (known === source) return;
  throw new Fault(
    'configuration-invalid',
    `OUTGRAPH_SOURCE is ${named(source)}, but the outbox of the database ${db.databaseName} was set up with ` +
      `${named(known)}. Set it to the same value for all parts of this outbox. To rename the source, follow ` +
      'docs/how-to/several-outboxes.md, which ends with: npx outgraph set-up --adopt.',
  );
}

const named = (source: string) => (source === '' ? 'empty' : `"${source}"`);
