/**
 * Discarded events. They are removed from the outbox permanently, and kept whole with the reason in
 * `outboxDiscarded` until an operator removes them. Only the commands that show them read them.
 * None of them returns, so their aggregates' tombstones can be purged.
 */

import { Binary, BSON, type ClientSession, type Collection, type Document, MongoServerError, ObjectId } from 'mongodb';
import { lenientTypes } from '../../lib/contract/exact-types.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { discardedCollection } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DeadRow, DeadSelection } from './dead-event.ts';
import { selectionFilter, toDeadRow } from './mongodb-find-dead.ts';

export interface DiscardedRow extends DeadRow {
  readonly discardedAt: Date;
  readonly reason: string;
}

export interface Discarding {
  readonly reason: string;
  /** By the server's clock. */
  readonly discardedAt: Date;
}

/**
 * About how much one transaction moves. It must end within a minute, and holds its events in
 * memory.
 */
const maxBytesAtOnce = 8 * 1024 * 1024;

/** DuplicateKey. */
const duplicateCode = 11_000;

/**
 * Moves the events that are dead now, within the session's transaction. If they are large, it moves
 * only the first of them. Returns how many it moved. A concurrent redrive changes the same
 * documents: one of the two transactions then fails, starts again, and finds the remaining events.
 *
 * @throws the driver's errors, so that the transaction can be retried.
 */
export async function moveToDiscarded(
  outbox: Collection<Document>,
  discarded: Collection<Document>,
  session: ClientSession,
  eventIds: readonly string[],
  discarding: Discarding,
): Promise<number> {
  const dead = { _id: { $in: eventIds.map(ObjectId.createFromHexString) }, status: 'dead' };
  const documents: Document[] = [];
  let bytes = 0;
  for await (const raw of outbox.find<Uint8Array>(dead, { session, raw: true })) {
    documents.push(toDiscarded(raw, discarding));
    bytes += raw.length;
    if (bytes > maxBytesAtOnce) break;
  }
  if (documents.length === 0) return 0;
  await discarded.insertMany(documents, { session });
  const ids = documents.map(({ _id }) => _id);
  const { deletedCount } = await outbox.deleteMany({ _id: { $in: ids }, status: 'dead' }, { session });
  // The transaction's snapshot contains all of them. Check it anyway, because an event could be
  // lost here.
  if (deletedCount !== documents.length)
    throw new Fault('unexpected', 'An event changed while it was being discarded. Run the command again.');
  return documents.length;
}

/**
 * The event with the time and the reason. The driver cannot write some events as it read them:
 * fields named by numbers or `_bsontype`, and obsolete types. For these, keep the bytes instead of
 * the fields.
 */
function toDiscarded(raw: Uint8Array, { reason, discardedAt }: Discarding): Document {
  const event = BSON.deserialize(raw, lenientTypes);
  if (isWrittenAsRead(event, raw)) return { ...event, discardedAt, reason };
  const { eventId, code, message, ...fields } = toDeadRow(event);
  return { _id: event._id, ...fields, error: { code, message }, bson: new Binary(raw), discardedAt, reason };
}

function isWrittenAsRead(event: Document, raw: Uint8Array): boolean {
  try {
    return Buffer.compare(BSON.serialize(event), raw) === 0;
  } catch {
    return false;
  }
}

/**
 * The fault for an event that is already in `outboxDiscarded`. Returns any other error unchanged.
 */
export function translateDuplicate(error: unknown): unknown {
  if (!(error instanceof MongoServerError) || error.code !== duplicateCode) return error;
  return new Fault(
    'unexpected',
    `One of the events is already in ${discardedCollection}: it was discarded before, and inserted into the outbox ` +
      `again by hand. This chunk was not discarded. Remove the event from ${discardedCollection} first.`,
    { cause: error },
  );
}

/**
 * The selected events without their payloads, newest first.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDiscardedRows(
  discarded: Collection<Document>,
  selection: DeadSelection,
  limit: number,
): Promise<readonly DiscardedRow[]> {
  if (limit === 0) return [];
  const found = await withMongodbFaults(() =>
    discarded
      .find(selectionFilter(selection), { projection: { payload: 0, bson: 0 } })
      .sort({ discardedAt: -1 })
      .limit(limit)
      .toArray(),
  );
  return found.map((document) => {
    return { ...toDeadRow(document), discardedAt: document.discardedAt, reason: String(document.reason) };
  });
}
