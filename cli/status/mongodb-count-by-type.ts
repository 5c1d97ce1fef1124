/**
 * How many events of each aggregate type wait or are dead: of the oldest ones, so that a long backlog is not read as a
 * whole for a look at it.
 */
import type { Collection, Document } from 'mongodb';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { positionTime, toPosition } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** Events of one type. */
export interface TypeCount {
  readonly aggregateType: string;
  readonly events: number;
  /** When the oldest of them was written, by its position. */
  readonly oldestAt: Date;
}

const order = {
  pending: { hint: 'outgraph_pending', sort: { position: 1 } },
  dead: { hint: 'outgraph_dead', sort: { deadAt: 1 } },
} as const;

/**
 * Counts the oldest pending or dead events by their types, in the order of the types' names, no more than `limit` in
 * all; canaries are left out.
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
