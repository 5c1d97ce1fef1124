/**
 * Processed events, to be redriven for a graph that was restored from a backup: what it was told after the backup, it
 * must be told again. What it knows already is superseded there.
 */
import type { Collection, Document, Filter } from 'mongodb';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/**
 * Events that were processed from `since` on, and before `until`: what is processed while a redrive is under way is not
 * redriven again.
 */
export interface ProcessedWindow {
  readonly since: Date;
  readonly until: Date;
}

/** How many processed events the outbox still holds of the window. @throws Fault `mongodb-unavailable`. */
export async function countProcessed(outbox: Collection<Document>, window: ProcessedWindow): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments(windowFilter(window), { hint: purgeIndex }));
}

/** Ids of events of the window, those that were processed first first. @throws Fault `mongodb-unavailable`. */
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
