/** What the outbox still holds of aggregates that is not settled: a pending or dead event may yet reach the graph. */
import type { Collection, Document } from 'mongodb';
import type { Operation } from '../contract/outbox-event.ts';
import { type Position, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from './mongodb-errors.ts';
import { anyPosition } from './mongodb-measure.ts';

const unsettled = { status: { $in: ['pending', 'dead'] } } as const;
const unsettledIndex = 'outgraph_unsettled';

/** The newest event of an aggregate that is not settled. */
export interface UnsettledEvent {
  readonly position: Position;
  readonly status: 'pending' | 'dead';
  readonly operation: Operation;
}

/** By aggregate id, those of the named aggregates that have such an event. @throws Fault `mongodb-unavailable`. */
export async function newestUnsettled(
  outbox: Collection<Document>,
  aggregateType: string,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, UnsettledEvent>> {
  const events = await withMongodbFaults(() =>
    outbox
      .find({ aggregateType, aggregateId: { $in: [...aggregateIds] }, position: anyPosition, ...unsettled })
      .project({ _id: 0, aggregateId: 1, position: 1, status: 1, operation: 1 })
      .sort({ position: 1 })
      .hint(unsettledIndex)
      .toArray(),
  );
  // In the order of the positions: the last one of an aggregate stays.
  return new Map(
    events.map(({ aggregateId, position, status, operation }) => [
      aggregateId,
      { position: toPosition(position), status, operation },
    ]),
  );
}

/**
 * The ids of the next aggregates of a type that have such events, in their order, each once. Empty at the end.
 *
 * @param after the last id of the part before; the empty text at the beginning.
 * @throws Fault `mongodb-unavailable`.
 */
export async function listUnsettledIds(
  outbox: Collection<Document>,
  aggregateType: string,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const events = await withMongodbFaults(() =>
    outbox
      .find({ aggregateType, aggregateId: { $gt: after }, ...unsettled })
      .project({ _id: 0, aggregateId: 1 })
      .sort({ aggregateId: 1 })
      .hint(unsettledIndex)
      .limit(limit)
      .toArray(),
  );
  return [...new Set(events.map(({ aggregateId }) => String(aggregateId)))];
}

/** The types that have such events: one look into the index for each. @throws Fault `mongodb-unavailable`. */
export async function listUnsettledTypes(outbox: Collection<Document>): Promise<readonly string[]> {
  const types: string[] = [];
  for (let after = ''; ; ) {
    const [event] = await withMongodbFaults(() =>
      outbox
        .find({ aggregateType: { $gt: after }, ...unsettled })
        .project({ _id: 0, aggregateType: 1 })
        .sort({ aggregateType: 1 })
        .hint(unsettledIndex)
        .limit(1)
        .toArray(),
    );
    // Of a text that is not UTF-8, what comes back is another, smaller one: the same event would be found again.
    if (event === undefined || event.aggregateType === after) return types;
    after = String(event.aggregateType);
    types.push(after);
  }
}

/** Where the oldest event stands that is pending; null if none is. @throws Fault `mongodb-unavailable`. */
export async function oldestPending(outbox: Collection<Document>): Promise<Position | null> {
  const [event] = await withMongodbFaults(() =>
    outbox
      .find({ status: 'pending', position: anyPosition })
      .project({ _id: 0, position: 1 })
      .sort({ position: 1 })
      .hint('outgraph_pending')
      .limit(1)
      .toArray(),
  );
  return event === undefined ? null : toPosition(event.position);
}

/** How many events are pending; counts no further than `limit`. @throws Fault `mongodb-unavailable`. */
export async function countPending(outbox: Collection<Document>, limit: number): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments({ status: 'pending' }, { limit, hint: 'outgraph_pending' }));
}
