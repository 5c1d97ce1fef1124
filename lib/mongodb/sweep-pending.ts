/**
 * The sweep's operations on the outbox: find what has been pending too long, claim it for another publication, and count what is there. Ages
 * are told by the position, which the server filled in, and never by a writer's clock.
 */
import { type Collection, type Document, ObjectId, Timestamp } from 'mongodb';
import { fromPosition, positionTime, toPosition } from '../contract/position.ts';
import type { OutboxCounts, StaleEvent, StaleQuery } from '../contract/stale-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/** The server's time. */
export async function readServerTime(outbox: Collection<Document>): Promise<Date> {
  const { localTime } = await withMongodbFaults(() => outbox.db.command({ hello: 1 }));
  return localTime as Date;
}

/** Stale events that are due, in the order of their positions. */
export async function findStale(outbox: Collection<Document>, query: StaleQuery): Promise<readonly StaleEvent[]> {
  const documents = await withMongodbFaults(() =>
    outbox
      .find({ ...staleFilter(query), $or: due(query.now) }, { readConcern: { level: 'majority' } })
      .project({ aggregateType: 1, aggregateId: 1, position: 1, attempts: 1 })
      .sort({ position: 1 })
      .limit(query.limit)
      .toArray(),
  );
  return documents.map(({ _id, aggregateType, aggregateId, position, attempts }) => ({
    eventId: String(_id),
    aggregateType,
    aggregateId,
    position: toPosition(position),
    attempts,
  }));
}

/** How many events are stale, due or not; counts no further than `limit`. */
export async function countStale(outbox: Collection<Document>, staleBefore: Date, limit: number): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments(staleFilter({ staleBefore, after: null }), { limit }));
}

/** When an event was settled last, or null: the sign that the consumer works. */
export async function readLastProcessed(outbox: Collection<Document>): Promise<Date | null> {
  const last = await withMongodbFaults(() =>
    outbox.findOne({ processedAt: { $type: 'date' } }, { sort: { processedAt: -1 }, projection: { processedAt: 1 } }),
  );
  return (last?.processedAt as Date | undefined) ?? null;
}

/**
 * Claims events for another publication: they are not due again before a time that doubles with each attempt (from 30 seconds to 15
 * minutes), with jitter. An attempt counts only if some other event was settled since the last one ended: in an outage no event gets nearer to its end.
 */
export async function claimStale(
  outbox: Collection<Document>,
  eventIds: readonly string[],
  now: Date,
  lastProcessed: Date | null,
): Promise<void> {
  const counts = {
    $or: [{ $eq: [{ $ifNull: ['$nextAttemptAt', null] }, null] }, { $gt: [lastProcessed, '$nextAttemptAt'] }],
  };
  const backOffMillis = { $min: [900_000, { $multiply: [30_000, { $pow: [2, { $min: ['$attempts', 10] }] }] }] };
  const jittered = { $toLong: { $multiply: [backOffMillis, { $add: [0.75, { $multiply: [0.5, { $rand: {} }] }] }] } };
  const filter = {
    _id: { $in: eventIds.map((id) => ObjectId.createFromHexString(id)) },
    status: 'pending',
    $or: due(now),
  };
  await withMongodbFaults(() =>
    outbox.updateMany(
      filter,
      [
        {
          $set: {
            attempts: { $add: ['$attempts', { $cond: [counts, 1, 0] }] },
            nextAttemptAt: { $add: ['$$NOW', jittered] },
          },
        },
      ],
      { writeConcern: { w: 'majority' } },
    ),
  );
}

/** Counts pending events no further than `limit`. */
export async function countOutbox(outbox: Collection<Document>, limit: number): Promise<OutboxCounts> {
  return withMongodbFaults(async () => {
    const oldest = await outbox.findOne({ status: 'pending' }, { sort: { position: 1 }, projection: { position: 1 } });
    return {
      pending: await outbox.countDocuments({ status: 'pending' }, { limit, hint: 'outgraph_pending' }),
      dead: await outbox.countDocuments({ status: 'dead' }, { limit }),
      oldestPending: oldest === null ? null : positionTime(toPosition(oldest.position)),
    };
  });
}

function staleFilter({ staleBefore, after }: Pick<StaleQuery, 'staleBefore' | 'after'>): Document {
  const before = new Timestamp({ t: Math.floor(staleBefore.getTime() / 1000), i: 0 });
  return {
    status: 'pending',
    position: { $lt: before, ...(after === null ? {} : { $gt: new Timestamp(fromPosition(after)) }) },
  };
}

function due(now: Date): Document[] {
  return [{ nextAttemptAt: { $exists: false } }, { nextAttemptAt: { $lte: now } }];
}
