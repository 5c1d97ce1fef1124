/**
 * Reads an aggregate's events that are not settled. A pending or dead event may still reach the
 * graph.
 */
import type { Collection, Document } from 'mongodb';
import type { Operation } from '../contract/outbox-event.ts';
import { type Position, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from './mongodb-errors.ts';
import { validPosition } from './mongodb-measure.ts';

const unsettled = { status: { $in: ['pending', 'dead'] } } as const;
const unsettledIndex = 'outgraph_unsettled';

/** An aggregate's newest event that is not settled. */
export interface UnsettledEvent {
  readonly position: Position;
  readonly status: 'pending' | 'dead';
  readonly operation: Operation;
}

/**
 * Returns these events by aggregate id, for the given aggregates that have one.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function newestUnsettled(
  outbox: Collection<Document>,
  aggregateType: string,
  aggregateIds: readonly string[],
): Promise<ReadonlyMap<string, UnsettledEvent>> {
  const events = await withMongodbFaults(() =>
    outbox
      .find({ aggregateType, aggregateId: { $in: [...aggregateIds] }, position: validPosition, ...unsettled })
      .project({ _id: 0, aggregateId: 1, position: 1, status: 1, operation: 1 })
      .sort({ position: 1 })
      .hint(unsettledIndex)
      .toArray(),
  );
  // Sorted by position, so the map keeps the last event of each aggregate.
  return new Map(
    events.map(({ aggregateId, position, status, operation }) => [
      aggregateId,
      { position: toPosition(position), status, operation },
    ]),
  );
}

/**
 * Returns the ids of the next aggregates of a type with such events, sorted and without duplicates.
 * Empty at the end.
 *
 * @param after the last id of the previous page; empty for the first page.
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

/**
 * Returns the types that have such events, with one index look-up each.
 *
 * @throws Fault `mongodb-unavailable`.
 */
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
    // Invalid UTF-8 is returned as another, smaller text, which would find the same event again.
    if (event === undefined || event.aggregateType === after) return types;
    after = String(event.aggregateType);
    types.push(after);
  }
}

/**
 * Returns the position of the oldest pending event; null if there is none.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function oldestPending(outbox: Collection<Document>): Promise<Position | null> {
  const [event] = await withMongodbFaults(() =>
    outbox
      .find({ status: 'pending', position: validPosition })
      .project({ _id: 0, position: 1 })
      .sort({ position: 1 })
      .hint('outgraph_pending')
      .limit(1)
      .toArray(),
  );
  return event === undefined ? null : toPosition(event.position);
}

/** Counts pending events up to `limit`. @throws Fault `mongodb-unavailable`. */
export async function countPending(outbox: Collection<Document>, limit: number): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments({ status: 'pending' }, { limit, hint: 'outgraph_pending' }));
}
