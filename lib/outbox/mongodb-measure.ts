/**
 * The sweep's measurements of the outbox. Each read is bounded and uses one of the set-up's
 * indexes.
 */

import { type Collection, type Document, Timestamp } from 'mongodb';
import { canaryAggregate } from '../contract/canary.ts';
import { fromPosition, type Position, positionTime, toPosition } from '../contract/position.ts';
import { purgeIndex } from './collections.ts';
import { withMongodbFaults } from './mongodb-errors.ts';
import type { OutboxCounts } from './outbox-counts.ts';

/** Excludes events without a position; their writer bypassed the validator. */
export const validPosition = { $type: 'timestamp' } as const;

/** Returns the server's time. @throws Fault `mongodb-unavailable`. */
export async function readServerTime(outbox: Collection<Document>): Promise<Date> {
  const { localTime } = await withMongodbFaults(() => outbox.db.command({ hello: 1 }));
  return localTime as Date;
}

/**
 * Returns when an event was last settled, or null. It shows that the consumer works.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readLastProcessed(outbox: Collection<Document>): Promise<Date | null> {
  const last = await withMongodbFaults(() =>
    outbox.findOne({ processedAt: { $type: 'date' } }, { sort: { processedAt: -1 }, projection: { processedAt: 1 } }),
  );
  return (last?.processedAt as Date | undefined) ?? null;
}

/**
 * Counts pending and dead events up to `limit`, canaries separately.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function countOutbox(outbox: Collection<Document>, limit: number): Promise<OutboxCounts> {
  const count = (filter: Document, hint: string) => outbox.countDocuments(filter, { limit, hint });
  return withMongodbFaults(async () => {
    const oldest = await outbox.findOne(
      { status: 'pending', position: validPosition, aggregateType: { $ne: canaryAggregate.aggregateType } },
      { sort: { position: 1 }, projection: { position: 1 }, hint: 'outgraph_pending' },
    );
    const pendingCanaries = await count({ ...canaryAggregate, status: 'pending' }, 'outgraph_unsettled');
    const deadCanaries = await count({ ...canaryAggregate, status: 'dead' }, 'outgraph_unsettled');
    return {
      pending: Math.max(0, (await count({ status: 'pending' }, 'outgraph_pending')) - pendingCanaries),
      pendingCanaries,
      dead: Math.max(0, (await count({ status: 'dead' }, 'outgraph_dead')) - deadCanaries),
      oldestPending: oldest === null ? null : positionTime(toPosition(oldest.position)),
    };
  });
}

/**
 * Counts pending events up to a position, canaries too.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export function countPendingUntil(outbox: Collection<Document>, until: Position): Promise<number> {
  const filter = { status: 'pending', position: { $lte: new Timestamp(fromPosition(until)) } };
  return withMongodbFaults(() => outbox.countDocuments(filter, { hint: 'outgraph_pending' }));
}

/**
 * Returns the milliseconds from `createdAt` (writers' clocks) to `processedAt` of the events
 * processed after `since`: the newest `limit` of them, without canaries.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readApplyLags(
  outbox: Collection<Document>,
  since: Date,
  limit: number,
): Promise<readonly number[]> {
  const events = await withMongodbFaults(() =>
    outbox
      .find({ processedAt: { $gte: since } })
      .project({ _id: 0, aggregateType: 1, createdAt: 1, processedAt: 1 })
      .sort({ processedAt: -1 })
      .limit(limit)
      .toArray(),
  );
  return events
    .filter(({ aggregateType }) => aggregateType !== canaryAggregate.aggregateType)
    .map(({ createdAt, processedAt }) => processedAt.getTime() - createdAt.getTime());
}

/**
 * Returns when a publisher last wrote a checkpoint; null if none ever did, as with Atlas Triggers.
 * The collection has one checkpoint per publisher and worker, so it needs no index for this.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readPublisherActivity(checkpoints: Collection<Document>): Promise<Date | null> {
  const newest = await withMongodbFaults(() =>
    checkpoints.findOne({ updatedAt: { $type: 'date' } }, { sort: { updatedAt: -1 }, projection: { updatedAt: 1 } }),
  );
  return (newest?.updatedAt as Date | undefined) ?? null;
}

/**
 * Returns how long the outbox keeps processed events; null if nothing purges them.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readRetentionSeconds(outbox: Collection<Document>): Promise<number | null> {
  const indexes = await withMongodbFaults(() => outbox.indexes());
  return indexes.find(({ name }) => name === purgeIndex)?.expireAfterSeconds ?? null;
}

/**
 * Returns the time before which processed events are purged, seen at `now`; null if nothing purges
 * them.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readKeptSince(outbox: Collection<Document>, now: Date): Promise<Date | null> {
  const retentionSeconds = await readRetentionSeconds(outbox);
  return retentionSeconds === null ? null : new Date(now.getTime() - retentionSeconds * 1000);
}
