/**
 * Finds the events of one aggregate in the outbox. Unsettled events have an index by aggregate.
 * Processed events have none, because it would slow every writer, so they are searched among the
 * most recently processed events.
 */
import type { Collection, Document } from 'mongodb';
import { exactTypes } from '../../lib/contract/exact-types.ts';
import { toPosition } from '../../lib/contract/position.ts';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { EventView } from './aggregate-view.ts';

interface Aggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** Search at most this many processed events: a second or two of the server's time. */
const searchedProcessed = 50_000;

/**
 * The fields of the aggregate's pending and dead events, newest first, in their stored BSON types.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findUnsettledEvents(
  outbox: Collection<Document>,
  { aggregateType, aggregateId }: Aggregate,
  fields: Document,
  limit: number,
): Promise<readonly Document[]> {
  return withMongodbFaults(() =>
    outbox
      .find({ aggregateType, aggregateId, status: { $in: ['pending', 'dead'] } }, { projection: fields, ...exactTypes })
      .sort({ position: -1 })
      .hint('outgraph_unsettled')
      .limit(limit)
      .toArray(),
  );
}

/**
 * Like `findUnsettledEvents`, for processed events among the most recently processed events of all
 * aggregates.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findRecentlyProcessed(
  outbox: Collection<Document>,
  { aggregateType, aggregateId }: Aggregate,
  fields: Document,
  limit: number,
): Promise<readonly Document[]> {
  const pipeline = [
    { $match: { processedAt: { $type: 'date' } } },
    { $sort: { processedAt: -1 } },
    { $limit: searchedProcessed },
    { $match: { aggregateType, aggregateId } },
    { $limit: limit },
    { $project: fields },
  ];
  return withMongodbFaults(() => outbox.aggregate(pipeline, { hint: purgeIndex, ...exactTypes }).toArray());
}

/**
 * The aggregate's events without their payloads, newest first: at most `limit` unsettled and
 * `limit` processed events.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listEvents(
  outbox: Collection<Document>,
  aggregate: Aggregate,
  limit: number,
): Promise<readonly EventView[]> {
  const fields = Object.fromEntries(
    ['operation', 'position', 'status', 'attempts', 'createdAt', 'processedAt', 'deadAt', 'error'].map((name) => [
      name,
      1,
    ]),
  );
  // In this order, an event that is settled between the two reads is found twice. In the other
  // order, it would be missed.
  const unsettled = await findUnsettledEvents(outbox, aggregate, fields, limit);
  const processed = await findRecentlyProcessed(outbox, aggregate, fields, limit);
  const events = [...unsettled, ...processed].map(toEventView);
  const byId = new Map(events.map((event) => [event.eventId, event]));
  return [...byId.values()].sort((left, right) => (left.position < right.position ? 1 : -1));
}

function toEventView(document: Document): EventView {
  const { _id, operation, position, status, attempts, createdAt, processedAt, deadAt, error } = document;
  return {
    eventId: String(_id),
    operation,
    position: toPosition(position),
    status,
    attempts: Number(attempts),
    createdAt,
    processedAt: processedAt ?? null,
    deadAt: deadAt ?? null,
    error: error === undefined ? null : { code: String(error.code), message: String(error.message) },
  };
}
