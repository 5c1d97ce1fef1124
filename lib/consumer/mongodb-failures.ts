/**
 * Counts how often events were met in conflict, and how often they failed on their own, in a collection of its own: the
 * queue's receive counts also grow while a server is away.
 */
import { type Collection, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { PastFailures } from './trial.ts';

/** The conflicts and failures of one event. */
export interface ConflictDocument {
  readonly _id: ObjectId;
  /** Of conflicts; absent where there was none. */
  readonly count?: number;
  /** How often it failed while other events were settled; absent where it never failed. */
  readonly failures?: number;
  readonly failedAt?: Date;
  /** How often it ran out of time, with others or on its own; absent where it never did. */
  readonly slow?: number;
  readonly lastAt: Date;
}

/** Counts one more conflict of the event, and returns how many that makes. @throws Fault `mongodb-unavailable`. */
export async function countConflict(conflicts: Collection<ConflictDocument>, eventId: string): Promise<number> {
  const counted = await withMongodbFaults(() =>
    conflicts.findOneAndUpdate(
      { _id: ObjectId.createFromHexString(eventId) },
      { $inc: { count: 1 }, $currentDate: { lastAt: true } },
      { upsert: true, returnDocument: 'after', writeConcern: { w: 'majority' } },
    ),
  );
  return counted?.count ?? 1;
}

/**
 * Notes that an event failed on its own, and returns how often it did. A failure counts only if another event was
 * settled since the one before: in an outage nothing is, so that it costs no event anything.
 *
 * @param lastProcessed when an event was settled last.
 * @param counts false: the note says only that the event failed.
 * @throws Fault `mongodb-unavailable`.
 */
export async function countFailure(
  conflicts: Collection<ConflictDocument>,
  eventId: string,
  lastProcessed: Date | null,
  counts: boolean,
): Promise<number> {
  const before = { $ifNull: ['$failures', 0] };
  const isFirst = { $eq: [{ $type: '$failedAt' }, 'missing'] };
  const othersSettled = lastProcessed === null ? false : { $gt: [lastProcessed, '$failedAt'] };
  const isCounted = counts ? { $or: [isFirst, othersSettled] } : false;
  const update = {
    failures: { $cond: [isCounted, { $add: [before, 1] }, before] },
    failedAt: { $cond: [{ $or: [isFirst, isCounted] }, '$$NOW', '$failedAt'] },
    lastAt: '$$NOW',
  };
  const noted = await withMongodbFaults(() =>
    conflicts.findOneAndUpdate({ _id: ObjectId.createFromHexString(eventId) }, [{ $set: update }], {
      upsert: true,
      returnDocument: 'after',
      writeConcern: { w: 'majority' },
    }),
  );
  return noted?.failures ?? 0;
}

/** Counts for each event that it ran out of time. @throws Fault `mongodb-unavailable`. */
export async function noteSlow(conflicts: Collection<ConflictDocument>, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  const update = { $inc: { slow: 1 }, $currentDate: { lastAt: true } } as const;
  const updates = eventIds.map((eventId) => {
    return { updateOne: { filter: { _id: ObjectId.createFromHexString(eventId) }, update, upsert: true } };
  });
  await withMongodbFaults(() => conflicts.bulkWrite(updates, { ordered: false, writeConcern: { w: 'majority' } }));
}

/**
 * How those of the named events failed that failed on their own before, or ran out of time.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readFailures(
  conflicts: Collection<ConflictDocument>,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, PastFailures>> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  const found = await withMongodbFaults(() =>
    conflicts
      .find({ _id: { $in: ids }, $or: [{ failures: { $exists: true } }, { slow: { $exists: true } }] })
      .toArray(),
  );
  return new Map(
    found.map(({ _id, failures, slow = 0 }) => [_id.toHexString(), { alone: failures !== undefined, slow }]),
  );
}

/**
 * Forgets the conflicts and failures of events that are dead, so that their counts start at zero when they are
 * redriven.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function forgetConflicts(
  conflicts: Collection<ConflictDocument>,
  eventIds: readonly string[],
): Promise<void> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  await withMongodbFaults(() => conflicts.deleteMany({ _id: { $in: ids } }));
}
