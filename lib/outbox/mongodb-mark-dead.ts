/**
 * Marks events dead. They stay in the outbox with their reason until a person redrives or discards
 * them.
 */
import { type AnyBulkWriteOperation, type Collection, type Document, MongoBulkWriteError, ObjectId } from 'mongodb';
import { printable } from '../contract/printable.ts';
import type { DeadEvent } from './dead-event.ts';
import { translateMongodbError, withMongodbFaults } from './mongodb-errors.ts';

/** Not settled yet, whatever other value `status` has. */
const unsettled = { status: { $nin: ['processed', 'dead'] } };

/**
 * Marks the events dead, with the server's time, and returns how many it marked.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function markDead(outbox: Collection<Document>, events: readonly DeadEvent[]): Promise<number> {
  return markDeadById(
    outbox,
    events.map(({ eventId, ...reason }) => ({ _id: ObjectId.createFromHexString(eventId), ...reason })),
  );
}

/** An event with an `_id` of any type, because a writer may have bypassed the validator. */
export interface DeadById extends Omit<DeadEvent, 'eventId'> {
  readonly _id: unknown;
}

/** As `markDead`, for any `_id`. */
export async function markDeadById(outbox: Collection<Document>, events: readonly DeadById[]): Promise<number> {
  if (events.length === 0) return 0;
  const updates = events.map((event) => updateOf(event));
  try {
    const result = await outbox.bulkWrite(updates, options);
    return result.modifiedCount;
  } catch (error) {
    const oversized = oversizedUpdates(error);
    if (oversized === null) throw translateMongodbError(error);
    // The reason does not fit into the document next to the payload. No part could apply that
    // payload, so it is removed.
    const smaller = oversized.map((index) => updateOf(events[index] as DeadById, { payload: '' }));
    const result = await withMongodbFaults(() => outbox.bulkWrite(smaller, options));
    return (error as MongoBulkWriteError).modifiedCount + result.modifiedCount;
  }
}

const options = { ordered: false, writeConcern: { w: 'majority' } } as const;

function updateOf(
  { _id, code, message }: DeadById,
  unset?: Readonly<Record<string, ''>>,
): AnyBulkWriteOperation<Document> {
  return {
    updateOne: {
      filter: { _id, ...unsettled } as Document,
      update: {
        $set: { status: 'dead', error: { code, message: printable(message) } },
        $currentDate: { deadAt: true as const },
        ...(unset === undefined ? {} : { $unset: unset }),
      },
    },
  };
}

/** BSONObjectTooLarge, and its variant for a document after an update. */
const tooLargeCodes: ReadonlySet<unknown> = new Set([10334, 17419]);

/**
 * Returns the indexes of updates whose documents would be too large; null if anything else failed.
 */
function oversizedUpdates(error: unknown): readonly number[] | null {
  if (!(error instanceof MongoBulkWriteError)) return null;
  const errors = [error.writeErrors].flat();
  const areOversized = errors.length > 0 && errors.every(({ code }) => tooLargeCodes.has(code));
  return areOversized ? errors.map(({ index }) => index) : null;
}
