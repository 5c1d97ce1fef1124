/** Counts how often events were met in conflict, in a collection of their own: the queue's receive counts also grow while a server is away. */
import { type Collection, ObjectId } from 'mongodb';
import { withMongodbFaults } from './translate-error.ts';

/** Events that were in conflict; forgotten a day after they were the last time. */
export const conflictCollection = 'outboxConflicts';

/** The conflicts of one event. */
export interface ConflictDocument {
  readonly _id: ObjectId;
  readonly count: number;
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

/** Forgets the conflicts of events that are dead, so that they begin anew when they are redriven. @throws Fault `mongodb-unavailable`. */
export async function forgetConflicts(
  conflicts: Collection<ConflictDocument>,
  eventIds: readonly string[],
): Promise<void> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  await withMongodbFaults(() => conflicts.deleteMany({ _id: { $in: ids } }));
}
