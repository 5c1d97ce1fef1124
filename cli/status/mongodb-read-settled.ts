/** What was settled lately, for an operator who watches: how fast, and how long it took. */
import type { Collection, Document } from 'mongodb';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** An event that was processed. */
export interface SettledEvent {
  readonly processedAt: Date;
  /** From `createdAt`, the writer's clock. */
  readonly lagMillis: number;
}

/**
 * The newest events that were processed since then, the last first, without canaries; of no more than `limit` events.
 * `isWhole`: those are all.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readSettled(
  outbox: Collection<Document>,
  since: Date,
  limit: number,
): Promise<{ readonly events: readonly SettledEvent[]; readonly isWhole: boolean }> {
  const found = await withMongodbFaults(() =>
    outbox
      .find({ processedAt: { $gte: since } })
      .project({ _id: 0, aggregateType: 1, createdAt: 1, processedAt: 1 })
      .sort({ processedAt: -1 })
      .hint(purgeIndex)
      .limit(limit)
      .toArray(),
  );
  const events = found
    .filter(({ aggregateType }) => aggregateType !== canaryAggregate.aggregateType)
    .map(({ createdAt, processedAt }) => ({ processedAt, lagMillis: processedAt.getTime() - createdAt.getTime() }));
  return { events, isWhole: found.length < limit };
}
