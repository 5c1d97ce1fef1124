/** Finds processed events, and makes settled events pending again. */
import { type Collection, type Document, type Filter, Int32, ObjectId } from 'mongodb';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/**
 * Events processed at `since` or later, and before `until`. Events processed during the redrive are
 * not redriven again.
 */
export interface ProcessedWindow {
  readonly since: Date;
  readonly until: Date;
}

/**
 * The number of processed events of the window that are still in the outbox.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function countProcessed(outbox: Collection<Document>, window: ProcessedWindow): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments(windowFilter(window), { hint: purgeIndex }));
}

/** Ids of processed events of the window, earliest first. @throws Fault `mongodb-unavailable`. */
export async function findProcessed(
  outbox: Collection<Document>,
  window: ProcessedWindow,
  limit: number,
): Promise<readonly string[]> {
  const found = await withMongodbFaults(() =>
    outbox
      .find(windowFilter(window), { projection: { _id: 1 } })
      .sort({ processedAt: 1 })
      .hint(purgeIndex)
      .limit(limit)
      .toArray(),
  );
  return found.map(({ _id }) => String(_id));
}

function windowFilter({ since, until }: ProcessedWindow): Filter<Document> {
  return { processedAt: { $gte: since, $lt: until }, status: 'processed' };
}

/**
 * Makes events with this status pending again, as a writer would have written them. Returns how
 * many had the status. The sweep publishes them within a minute or two, because their positions
 * make them stale. Without `processedAt`, they cannot be purged before they are applied.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function makePending(
  outbox: Collection<Document>,
  status: 'dead' | 'processed',
  eventIds: readonly string[],
): Promise<number> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  const update = {
    $set: { status: 'pending', attempts: new Int32(0) },
    $unset: { nextAttemptAt: '', processedAt: '', deadAt: '', error: '' },
  };
  const result = await withMongodbFaults(() =>
    outbox.updateMany({ _id: { $in: ids }, status }, update, { writeConcern: { w: 'majority' } }),
  );
  return result.modifiedCount;
}
