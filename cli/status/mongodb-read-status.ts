/**
 * Queries for the status: event counts by type, publishers, and recently settled events. All are
 * bounded.
 */
import type { Collection, Document } from 'mongodb';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { positionTime, toPosition } from '../../lib/contract/position.ts';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { PublisherStatus } from './status-report.ts';

/** Events of one type. */
export interface TypeCount {
  readonly aggregateType: string;
  readonly events: number;
  /** When the oldest event was written, by its position. */
  readonly oldestAt: Date;
}

const order = {
  pending: { hint: 'outgraph_pending', sort: { position: 1 } },
  dead: { hint: 'outgraph_dead', sort: { deadAt: 1 } },
} as const;

/**
 * Counts the oldest `limit` pending or dead events by type, without canaries, ordered by type. The
 * limit avoids reading the whole of a long backlog.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function countByType(
  outbox: Collection<Document>,
  status: 'pending' | 'dead',
  limit: number,
): Promise<readonly TypeCount[]> {
  const { hint, sort } = order[status];
  const pipeline = [
    { $match: { status, aggregateType: { $ne: canaryAggregate.aggregateType } } },
    { $sort: sort },
    { $limit: limit },
    { $group: { _id: '$aggregateType', events: { $sum: 1 }, oldest: { $min: '$position' } } },
    { $sort: { _id: 1 } },
  ];
  const rows = await withMongodbFaults(() => outbox.aggregate(pipeline, { hint }).toArray());
  return rows.map(({ _id, events, oldest }) => ({
    aggregateType: String(_id),
    events: Number(events),
    oldestAt: positionTime(toPosition(oldest)),
  }));
}

/** The live workers that hold a lease together. */
const countWorkers = {
  $size: { $filter: { input: { $ifNull: ['$members', []] }, cond: { $gt: ['$$this.expiresAt', '$$NOW'] } } },
};

/** Each publisher has one checkpoint, and all workers have one. */
const maxPublishers = 100;

/**
 * The publishers' checkpoints by id, with the last owner even if its lease has expired. The
 * collection has only a few documents, so this needs no index.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listPublishers(checkpoints: Collection<Document>): Promise<readonly PublisherStatus[]> {
  const found = await withMongodbFaults(() =>
    checkpoints
      // Canaries and backfills have notes in the same collection.
      .find({ leaseExpiresAt: { $type: 'date' } })
      .project({ owner: 1, leaseExpiresAt: 1, updatedAt: 1, backlog: 1, workers: countWorkers })
      .sort({ _id: 1 })
      .limit(maxPublishers)
      .toArray(),
  );
  return found.map(({ _id, owner, leaseExpiresAt, updatedAt, backlog, workers }) => ({
    id: String(_id),
    owner: owner ?? null,
    leaseExpiresAt,
    updatedAt: updatedAt ?? null,
    hasBacklog: (backlog ?? null) !== null,
    workers: workers || null,
  }));
}

/** Recently processed events, newest first, without canaries. */
export interface SettledEvents {
  readonly events: readonly {
    readonly processedAt: Date;
    /** From `createdAt`, the writer's clock. */
    readonly lagMillis: number;
  }[];
  /** False if the limit was reached. */
  readonly isWhole: boolean;
}

/**
 * The events processed since a time, at most the newest `limit`.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readSettled(outbox: Collection<Document>, since: Date, limit: number): Promise<SettledEvents> {
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
