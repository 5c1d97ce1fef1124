/**
 * Events that a person has discarded: out of the outbox for good, kept whole with the reason in a collection of their
 * own until an operator removes them. Nothing reads them but the commands that show them, and none comes back: so that
 * their aggregates' tombstones may go.
 */

import { Binary, BSON, type ClientSession, type Collection, type Document, MongoServerError, ObjectId } from 'mongodb';
import { Fault } from '../../lib/contract/fault.ts';
import { discardedCollection } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { lenientTypes } from '../../lib/outbox/mongodb-read-event.ts';
import type { DeadRow } from './dead-list.ts';
import type { DeadSelection } from './dead-selection.ts';
import { selectionFilter } from './mongodb-find-dead.ts';
import { toDeadRow } from './mongodb-read-dead-event.ts';

/** One of them in a list. */
export interface DiscardedRow extends DeadRow {
  readonly discardedAt: Date;
  readonly reason: string;
}

/** How an event is discarded. */
export interface Discarding {
  readonly reason: string;
  /** By the server's clock. */
  readonly discardedAt: Date;
}

/**
 * What one transaction moves, in about so many bytes: it has to end within a minute, and its events are in memory
 * meanwhile.
 */
const maxBytesAtOnce = 8 * 1024 * 1024;

/** DuplicateKey. */
const duplicateCode = 11_000;

/**
 * Moves those of the events that are dead at this moment, within the session's transaction; where they are large, only
 * the first of them. Returns how many. A redrive at the same time changes the same documents: one of the two
 * transactions fails, begins again, and finds what the other one has left.
 *
 * @throws what the driver throws, so that the transaction can begin again.
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
  // The transaction's snapshot has them all. But what would be lost must not be left to that alone.
  if (deletedCount !== documents.length) throw new Fault('unexpected', 'An event was moved that was not dead.');
  return documents.length;
}

/**
 * The event with what was done to it. Where the driver cannot write an event as it has read it (fields whose names are
 * numbers, or `_bsontype`; types that are no longer in use), its bytes are kept in the place of its fields.
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

/** The fault for an event that is in `outboxDiscarded` already; whatever else was thrown comes back as it is. */
export function translateDuplicate(error: unknown): unknown {
  if (!(error instanceof MongoServerError) || error.code !== duplicateCode) return error;
  return new Fault(
    'unexpected',
    `One of the events is in ${discardedCollection} already: it was discarded before, and put back into the outbox by hand. Nothing of this part was discarded; remove it there first.`,
    { cause: error },
  );
}

/** The meant events without their payloads, those discarded last first. @throws Fault `mongodb-unavailable`. */
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
