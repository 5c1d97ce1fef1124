/** Marks events dead: they stay in the outbox with their reason until a person redrives or discards them. */
import { type AnyBulkWriteOperation, type Collection, type Document, MongoBulkWriteError, ObjectId } from 'mongodb';
import { printable } from '../contract/printable.ts';
import type { DeadEvent } from './dead-event.ts';
import { translateMongodbError, withMongodbFaults } from './mongodb-errors.ts';

/** Dead already, or settled: everything else may become dead, whatever was written into its `status`. */
const undecided = { status: { $nin: ['processed', 'dead'] } };

/**
 * Marks the events dead by the server's clock, and returns how many were not settled before.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function markDead(outbox: Collection<Document>, events: readonly DeadEvent[]): Promise<number> {
  return markDeadById(
    outbox,
    events.map(({ eventId, ...reason }) => ({ _id: ObjectId.createFromHexString(eventId), ...reason })),
  );
}

/** An event by an `_id` of any type: a writer may have gone past the validator. */
export interface DeadById extends Omit<DeadEvent, 'eventId'> {
  readonly _id: unknown;
}

/** As `markDead`. */
export async function markDeadById(outbox: Collection<Document>, events: readonly DeadById[]): Promise<number> {
  if (events.length === 0) return 0;
  const updates = events.map((event) => updateOf(event));
  try {
    const result = await outbox.bulkWrite(updates, options);
    return result.modifiedCount;
  } catch (error) {
    const full = fullDocuments(error);
    if (full === null) throw translateMongodbError(error);
    // No room for the reason beside the payload, which no part could apply.
    const smaller = full.map((index) => updateOf(events[index] as DeadById, { payload: '' }));
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
      filter: { _id, ...undecided } as Document,
      update: {
        $set: { status: 'dead', error: { code, message: printable(message) } },
        $currentDate: { deadAt: true as const },
        ...(unset === undefined ? {} : { $unset: unset }),
      },
    },
  };
}

/** BSONObjectTooLarge, and the same for the document after an update. */
const tooLargeCodes: ReadonlySet<unknown> = new Set([10334, 17419]);

/**
 * The indexes of the updates that failed because their documents would become too large; null if anything else failed.
 */
function fullDocuments(error: unknown): readonly number[] | null {
  if (!(error instanceof MongoBulkWriteError)) return null;
  const errors = [error.writeErrors].flat();
  const isFull = errors.length > 0 && errors.every(({ code }) => tooLargeCodes.has(code));
  return isFull ? errors.map(({ index }) => index) : null;
}
