/**
 * The way back in step when there is no token to go on from: note the cluster's time, and read the events that are
 * pending up to it by the index, part by part. A change stream that starts at that time has all the others.
 */
import { type Collection, type Document, type MongoClient, Timestamp } from 'mongodb';
import type { Pointer } from '../contract/pointer.ts';
import { fromPosition, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { toPointer } from '../outbox/mongodb-to-pointer.ts';
import type { Backlog, BacklogChunk } from './progress.ts';

/**
 * The first `limit` pending events of what is left of a backlog, in the order of their positions. A query of its own
 * for each part: whoever comes next goes on with the next part, and nothing has to be kept open. The read waits until
 * the majority has what happened up to the backlog's end: an event that was committed before it, but not everywhere
 * yet, would otherwise be in neither the backlog nor the stream.
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
  // The primaries of two shards may give the same position: a part never ends between two events that share one.
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
