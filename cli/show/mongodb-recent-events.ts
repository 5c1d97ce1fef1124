/**
 * The events that the outbox holds of one aggregate. Those that are not settled stand in an index by aggregate; for
 * processed ones there is none, which would cost every writer: they are looked for among those that were processed
 * last.
 */
import type { Collection, Document } from 'mongodb';
import type { EventStatus, Operation } from '../../lib/contract/outbox-event.ts';
import { type Position, toPosition } from '../../lib/contract/position.ts';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { exactTypes } from '../../lib/outbox/mongodb-read-event.ts';

/** An aggregate, as its events name it. */
interface Aggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** So many processed events are looked through: a second or two of the server's time. */
const processedLooked = 50_000;

/**
 * The fields of its pending and dead events, newest first; each value in the BSON type that is stored.
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
 * The same of its processed events, among those that were processed last, of all aggregates; the one that was processed
 * last comes first.
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
    { $limit: processedLooked },
    { $match: { aggregateType, aggregateId } },
    { $limit: limit },
    { $project: fields },
  ];
  return withMongodbFaults(() => outbox.aggregate(pipeline, { hint: purgeIndex, ...exactTypes }).toArray());
}

/** An event without its payload. */
export interface ListedEvent {
  readonly eventId: string;
  readonly operation: Operation;
  readonly position: Position;
  readonly status: EventStatus;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly processedAt: Date | null;
  readonly deadAt: Date | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/**
 * Its events without their payloads, newest first; of those that are not settled, and of the processed ones, no more
 * than `limit` each.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listEvents(
  outbox: Collection<Document>,
  aggregate: Aggregate,
  limit: number,
): Promise<readonly ListedEvent[]> {
  const fields = Object.fromEntries(
    ['operation', 'position', 'status', 'attempts', 'createdAt', 'processedAt', 'deadAt', 'error'].map((name) => [
      name,
      1,
    ]),
  );
  // In this order: what is settled between the two reads is seen twice, and not never.
  const unsettled = await findUnsettledEvents(outbox, aggregate, fields, limit);
  const processed = await findRecentlyProcessed(outbox, aggregate, fields, limit);
  const events = [...unsettled, ...processed].map(toListedEvent);
  const byId = new Map(events.map((event) => [event.eventId, event]));
  return [...byId.values()].sort((left, right) => (left.position < right.position ? 1 : -1));
}

function toListedEvent(document: Document): ListedEvent {
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
