/**
 * Counts each event's conflicts and failures in a separate collection. The queue's receive counts
 * cannot be used, because they also grow during an outage.
 */
import { type Collection, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { PastFailures } from './trial.ts';

/** The conflicts and failures of one event. */
export interface ConflictDocument {
  readonly _id: ObjectId;
  /** Number of conflicts; absent if there were none. */
  readonly count?: number;
  /** Number of failures while other events were settled; absent if there were none. */
  readonly failures?: number;
  readonly failedAt?: Date;
  /** Number of time-outs, with other events or on its own; absent if there were none. */
  readonly slow?: number;
}

/**
 * Adds one conflict of the event and returns the new number.
 *
 * @throws Fault `mongodb-unavailable`.
 */
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
 * Records that an event failed on its own, and returns its number of counted failures. A failure
 * counts only if another event was settled since the previous failure. Nothing is settled during an
 * outage, so an outage never adds to an event's failures.
 *
 * @param lastProcessed when an event was last settled.
 * @param counts false: only record that the event failed, without counting it.
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
  const recorded = await withMongodbFaults(() =>
    conflicts.findOneAndUpdate({ _id: ObjectId.createFromHexString(eventId) }, [{ $set: update }], {
      upsert: true,
      returnDocument: 'after',
      writeConcern: { w: 'majority' },
    }),
  );
  return recorded?.failures ?? 0;
}

/** Adds one time-out to each event. @throws Fault `mongodb-unavailable`. */
export async function countSlow(conflicts: Collection<ConflictDocument>, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  const update = { $inc: { slow: 1 }, $currentDate: { lastAt: true } } as const;
  const updates = eventIds.map((eventId) => {
    return { updateOne: { filter: { _id: ObjectId.createFromHexString(eventId) }, update, upsert: true } };
  });
  await withMongodbFaults(() => conflicts.bulkWrite(updates, { ordered: false, writeConcern: { w: 'majority' } }));
}

/**
 * Returns the past failures and conflicts of those given events that have any.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readFailures(
  conflicts: Collection<ConflictDocument>,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, PastFailures>> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  const fields = {
    failures: { $ifNull: ['$failures', null] },
    slow: { $ifNull: ['$slow', 0] },
    conflicts: { $ifNull: ['$count', 0] },
    secondsAgo: { $divide: [{ $subtract: ['$$NOW', { $ifNull: ['$lastAt', new Date(0)] }] }, 1_000] },
  };
  const found = await withMongodbFaults(() =>
    conflicts
      .aggregate<PastFailures & { readonly _id: ObjectId }>([{ $match: { _id: { $in: ids } } }, { $project: fields }])
      .toArray(),
  );
  return new Map(found.map(({ _id, ...failures }) => [_id.toHexString(), failures]));
}

/**
 * Deletes the conflict and failure counts of dead events, so that they restart at zero after a
 * redrive.
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
