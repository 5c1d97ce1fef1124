/**
 * The events that the outbox holds of one aggregate. Those that are not settled stand in an index by aggregate; for processed ones there is none, which would cost every writer: they are looked for
 * among those that were processed last.
 */
import type { Collection, Document } from 'mongodb';
import { exactTypes } from './read-outbox-event.ts';
import { purgeIndex } from './set-up-outbox.ts';
import { withMongodbFaults } from './translate-error.ts';

/** An aggregate, as its events name it. */
interface Aggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** So many processed events are looked through: a second or two of the server's time. */
const processedLooked = 50_000;

/** The fields of its pending and dead events, newest first; each value in the BSON type that is stored. @throws Fault `mongodb-unavailable`. */
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
 * The same of its processed events, among those that were processed last, of all aggregates; the one that was processed last comes first.
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
