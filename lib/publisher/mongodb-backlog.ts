/**
 * Catches up when there is no resume token. The publisher notes the cluster's time and reads the
 * events pending up to that time by index, chunk by chunk. A change stream that starts at that time
 * has all later events.
 */
import { type Collection, type Document, type MongoClient, Timestamp } from 'mongodb';
import type { Pointer } from '../contract/pointer.ts';
import { fromPosition, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { toPointer } from '../outbox/mongodb-to-pointer.ts';
import type { Backlog, BacklogChunk } from './progress.ts';

/**
 * Returns the first `limit` pending events of the remaining backlog, sorted by position. Each chunk
 * is a separate query, so any later publisher can continue with the next chunk and no cursor stays
 * open.
 *
 * The read waits until the majority has every write up to the backlog's end. Otherwise an event
 * that was committed before that time, but not yet replicated, would be in neither the backlog nor
 * the stream.
 */
export async function scanPending(
  client: MongoClient,
  outbox: Collection<Document>,
  backlog: Backlog,
  limit: number,
): Promise<BacklogChunk> {
  const found = await withMongodbFaults(() => findPending(client, outbox, backlog, limit + 1));
  const next = found[limit];
  if (next === undefined) return { pointers: toPointers(found), rest: null };
  // The primaries of two shards may assign the same position. A chunk never ends between two events
  // that share one.
  const chunk = found.filter(({ position }) => position.lessThan(next.position));
  const last = chunk.at(-1);
  if (last === undefined) return scanPending(client, outbox, backlog, 2 * limit);
  return { pointers: toPointers(chunk), rest: { ...backlog, after: toPosition(last.position) } };
}

interface PendingEvent extends Document {
  readonly position: Timestamp;
}

function toPointers(events: readonly PendingEvent[]): readonly Pointer[] {
  return events.flatMap((event) => toPointer(event) ?? []);
}

async function findPending(client: MongoClient, outbox: Collection<Document>, backlog: Backlog, limit: number) {
  const until = new Timestamp(fromPosition(backlog.until));
  const position = {
    $lte: until,
    ...(backlog.after === null ? {} : { $gt: new Timestamp(fromPosition(backlog.after)) }),
  };
  return client.withSession({ causalConsistency: true }, (session) => {
    session.advanceOperationTime(until);
    return outbox
      .find({ status: 'pending', position }, { session, readConcern: { level: 'majority' } })
      .project<PendingEvent>({ aggregateType: 1, aggregateId: 1, traceparent: 1, position: 1 })
      .sort({ position: 1 })
      .hint('outgraph_pending')
      .limit(limit)
      .batchSize(limit)
      .toArray();
  });
}
