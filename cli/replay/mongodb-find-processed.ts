/**
 * The processed events that a replay is about, for a graph that was restored from a backup: what it was told after the backup, it must be told again. What it knows
 * already is superseded there.
 */
import type { Collection, Document, Filter } from 'mongodb';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** Events that were processed from `since` on, and before `until`: what is processed while a replay is under way is not replayed once more. */
export interface ReplayWindow {
  readonly since: Date;
  readonly until: Date;
}

/** How many processed events the outbox still holds of the window. @throws Fault `mongodb-unavailable`. */
export async function countProcessed(outbox: Collection<Document>, window: ReplayWindow): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments(windowFilter(window), { hint: purgeIndex }));
}

/** Ids of events of the window, those that were processed first first. @throws Fault `mongodb-unavailable`. */
export async function findProcessed(
  outbox: Collection<Document>,
  window: ReplayWindow,
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

function windowFilter({ since, until }: ReplayWindow): Filter<Document> {
  return { processedAt: { $gte: since, $lt: until }, status: 'processed' };
}
