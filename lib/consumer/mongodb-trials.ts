/**
 * The consumer's trials, in a collection of their own: one small document for each that is under way, or that ended
 * with its process. They are few, so that they need no index but the one that forgets them. All times are the server's.
 */
import { randomUUID } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { BrokenTrials, Trial } from './trial.ts';

/** A trial's document. */
export interface TrialDocument {
  readonly _id: string;
  readonly eventIds: readonly ObjectId[];
  readonly alone: boolean;
  readonly endsBefore: Date;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/** Writes down that a trial begins, and returns its id. @throws Fault `mongodb-unavailable`. */
export async function beginTrial(
  trials: Collection<TrialDocument>,
  { eventIds, alone, maxMillis }: Trial,
): Promise<string> {
  const id = randomUUID();
  const endsBefore = { $add: ['$$NOW', Math.max(0, Math.round(maxMillis))] };
  const fields = { eventIds: { $literal: eventIds.map(ObjectId.createFromHexString) }, alone, endsBefore };
  await withMongodbFaults(() => trials.updateOne({ _id: id }, [{ $set: fields }], { upsert: true, ...majority }));
  return id;
}

/** Removes trials that have ended in whatever way. @throws Fault `mongodb-unavailable`. */
export async function endTrials(trials: Collection<TrialDocument>, ids: readonly string[]): Promise<void> {
  await withMongodbFaults(() => trials.deleteMany({ _id: { $in: [...ids] } }, majority));
}

/** Of the named events, those with trials that ended with their process. @throws Fault `mongodb-unavailable`. */
export async function readBrokenTrials(
  trials: Collection<TrialDocument>,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, BrokenTrials>> {
  const asked = new Set(eventIds);
  const found = new Map<string, { together: number; alone: number }>();
  const over = { $expr: { $lt: ['$endsBefore', '$$NOW'] } };
  const documents = await withMongodbFaults(() => trials.find(over, { readConcern: { level: 'majority' } }).toArray());
  for (const { eventIds: tried, alone } of documents) {
    for (const eventId of tried.map((id) => id.toHexString())) {
      if (!asked.has(eventId)) continue;
      const broken = found.get(eventId) ?? { together: 0, alone: 0 };
      broken[alone ? 'alone' : 'together'] += 1;
      found.set(eventId, broken);
    }
  }
  return found;
}

/**
 * Forgets the broken trials of events that are settled, so that one that is redriven begins anew.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function forgetTrials(trials: Collection<TrialDocument>, eventIds: readonly string[]): Promise<void> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  await withMongodbFaults(async () => {
    await trials.updateMany({ eventIds: { $in: ids } }, { $pullAll: { eventIds: ids } }, majority);
    await trials.deleteMany({ eventIds: { $size: 0 } }, majority);
  });
}
