/**
 * Finds and counts stale events in the outbox. Their age comes from the position, which the server
 * filled in, never from a writer's clock.
 */
import { type Collection, type Document, Timestamp } from 'mongodb';
import { fromPosition, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { toPointer } from '../outbox/mongodb-to-pointer.ts';
import type { Schedule, StaleEvent, StaleQuery } from './stale-event.ts';

/**
 * Returns stale events that are due, sorted by position. Events in back-off are skipped in the
 * index (a million of them in a second); only due events are read.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findStale(outbox: Collection<Document>, query: StaleQuery): Promise<readonly StaleEvent[]> {
  // Use "not later", which the index alone can decide: "absent or earlier" needs the document.
  const due = { nextAttemptAt: { $not: { $gt: query.dueBy } } };
  const documents = await withMongodbFaults(() =>
    outbox
      .find({ ...staleFilter(query), ...due }, { readConcern: { level: 'majority' } })
      .project({ aggregateType: 1, aggregateId: 1, traceparent: 1, position: 1, attempts: 1, nextAttemptAt: 1 })
      .sort({ position: 1 })
      .limit(query.limit)
      .hint('outgraph_pending')
      .toArray(),
  );
  return documents.flatMap((document) => {
    const pointer = toPointer(document);
    return pointer === null ? [] : [{ ...pointer, position: toPosition(document.position), ...scheduleOf(document) }];
  });
}

/** An event's schedule. An event that bypassed the validator counts as never republished. */
export function scheduleOf({ attempts, nextAttemptAt }: Document): Schedule {
  return {
    attempts: Number.isInteger(attempts) ? attempts : 0,
    nextAttemptAt: nextAttemptAt instanceof Date ? nextAttemptAt : null,
  };
}

/**
 * Counts stale events, due or not, up to `limit`.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function countStale(outbox: Collection<Document>, staleBefore: Date, limit: number): Promise<number> {
  return withMongodbFaults(() =>
    outbox.countDocuments(staleFilter({ staleBefore, after: null }), { limit, hint: 'outgraph_pending' }),
  );
}

function staleFilter({ staleBefore, after }: Pick<StaleQuery, 'staleBefore' | 'after'>): Document {
  const before = new Timestamp({ t: Math.floor(staleBefore.getTime() / 1000), i: 0 });
  return {
    status: 'pending',
    position: { $lt: before, ...(after === null ? {} : { $gt: new Timestamp(fromPosition(after)) }) },
  };
}
