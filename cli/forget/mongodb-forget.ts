/** Finds and removes what MongoDB keeps of one aggregate besides its document. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import { type ConflictDocument, forgetConflicts } from '../../lib/consumer/mongodb-failures.ts';
import { forgetTrials, type TrialDocument } from '../../lib/consumer/mongodb-trials.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

export interface Aggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** The collections that hold something of an aggregate. */
export interface ForgetCollections {
  readonly outbox: Collection<Document>;
  readonly discarded: Collection<Document>;
  readonly trials: Collection<TrialDocument>;
  readonly conflicts: Collection<ConflictDocument>;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/**
 * The ids of the aggregate's settled events with a payload. Reads the whole outbox: an index for
 * this rare search would slow every writer. A deletion holds only the aggregate's type and id, and
 * a graph that is restored from a backup needs it.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findSettledPayloads(
  outbox: Collection<Document>,
  { aggregateType, aggregateId }: Aggregate,
): Promise<readonly string[]> {
  const settled = { aggregateType, aggregateId, status: { $ne: 'pending' }, operation: { $ne: 'delete' } };
  const found = await withMongodbFaults(() => outbox.find(settled, { projection: { _id: 1 } }).toArray());
  return found.map(({ _id }) => String(_id));
}

/** Whether an event of the aggregate is pending. @throws Fault `mongodb-unavailable`. */
export async function hasPending(
  outbox: Collection<Document>,
  { aggregateType, aggregateId }: Aggregate,
): Promise<boolean> {
  const pending = { aggregateType, aggregateId, status: 'pending' };
  const options = { hint: 'outgraph_unsettled', projection: { _id: 1 } } as const;
  return (await withMongodbFaults(() => outbox.findOne(pending, options))) !== null;
}

/** The number of the aggregate's discarded events. @throws Fault `mongodb-unavailable`. */
export async function countDiscarded(
  discarded: Collection<Document>,
  { aggregateType, aggregateId }: Aggregate,
): Promise<number> {
  return withMongodbFaults(() => discarded.countDocuments({ aggregateType, aggregateId }));
}

/**
 * Removes the events, their counts of failures, and the aggregate's discarded events. An event that
 * was made pending again stays.
 *
 * @throws Fault `mongodb-unavailable`. Removing the rest later is harmless.
 */
export async function removeEvents(
  { outbox, discarded, trials, conflicts }: ForgetCollections,
  { aggregateType, aggregateId }: Aggregate,
  eventIds: readonly string[],
): Promise<{ readonly events: number; readonly discarded: number }> {
  await forgetTrials(trials, eventIds);
  await forgetConflicts(conflicts, eventIds);
  return withMongodbFaults(async () => {
    const ids = eventIds.map(ObjectId.createFromHexString);
    const settled = { _id: { $in: ids }, status: { $ne: 'pending' } };
    const { deletedCount: events } = await outbox.deleteMany(settled, majority);
    const removed = await discarded.deleteMany({ aggregateType, aggregateId }, majority);
    return { events, discarded: removed.deletedCount };
  });
}
