/**
 * The consumer's trials in MongoDB: one small document per trial that is running or whose process
 * crashed. There are few, so the collection has only its TTL index. All times are the server's.
 */
import { randomUUID } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { CrashedTrials, Trial } from './trial.ts';

export interface TrialDocument {
  readonly _id: string;
  readonly eventIds: readonly ObjectId[];
  readonly alone: boolean;
  readonly endsBefore: Date;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/** Records the start of a trial and returns its id. @throws Fault `mongodb-unavailable`. */
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

/** Removes trials that have ended. @throws Fault `mongodb-unavailable`. */
export async function endTrials(trials: Collection<TrialDocument>, ids: readonly string[]): Promise<void> {
  await withMongodbFaults(() => trials.deleteMany({ _id: { $in: [...ids] } }, majority));
}

/** Returns the crashed trials of the given events. @throws Fault `mongodb-unavailable`. */
export async function readCrashedTrials(
  trials: Collection<TrialDocument>,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, CrashedTrials>> {
  const requested = new Set(eventIds);
  const crashed = new Map<string, { together: number; alone: number }>();
  const expired = { $expr: { $lt: ['$endsBefore', '$$NOW'] } };
  const documents = await withMongodbFaults(() =>
    trials.find(expired, { readConcern: { level: 'majority' } }).toArray(),
  );
  for (const { eventIds: tried, alone } of documents) {
    for (const eventId of tried.map((id) => id.toHexString())) {
      if (!requested.has(eventId)) continue;
      const counts = crashed.get(eventId) ?? { together: 0, alone: 0 };
      counts[alone ? 'alone' : 'together'] += 1;
      crashed.set(eventId, counts);
    }
  }
  return crashed;
}

/**
 * Removes settled events from crashed trials, so that a redriven event starts with a clean record.
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
