/**
 * The way back in step when there is no token to go on from: note the cluster's time, and read every pending event up to it by the index. A
 * change stream that starts at that time has all the others.
 */
import type { Collection, Document, MongoClient, Timestamp } from 'mongodb';
import type { Pointer } from '../contract/pointer.ts';
import { withMongodbFaults } from './translate-error.ts';

/** The time of the cluster's newest operation that this client knows of. */
export async function readClusterTime(client: MongoClient, outbox: Collection<Document>): Promise<Timestamp> {
  const session = client.startSession({ causalConsistency: true });
  try {
    return await withMongodbFaults(async () => {
      await outbox.findOne({}, { session, projection: { _id: 1 } });
      const time = session.operationTime;
      if (time === undefined)
        throw new Error('MongoDB told no operation time: outgraph needs a replica set or a sharded cluster.');
      return time;
    });
  } finally {
    await session.endSession();
  }
}

/**
 * Every pending event in the order of its position, in chunks. The read waits until the majority has what happened up to `since`: an event
 * that was committed before it, but not everywhere yet, would otherwise be in neither the scan nor the stream.
 */
export async function* scanPending(
  client: MongoClient,
  outbox: Collection<Document>,
  since: Timestamp,
  chunkSize: number,
): AsyncGenerator<readonly Pointer[]> {
  const session = client.startSession({ causalConsistency: true });
  session.advanceOperationTime(since);
  try {
    const cursor = outbox
      .find({ status: 'pending' }, { session, readConcern: { level: 'majority' } })
      .project({ aggregateType: 1, aggregateId: 1 })
      .sort({ position: 1 })
      .hint('outgraph_pending')
      .batchSize(chunkSize);
    let chunk: Pointer[] = [];
    while (await withMongodbFaults(() => cursor.hasNext())) {
      const event = await withMongodbFaults(() => cursor.next());
      if (event === null) break;
      chunk.push({ eventId: String(event._id), aggregateType: event.aggregateType, aggregateId: event.aggregateId });
      if (chunk.length === chunkSize) {
        yield chunk;
        chunk = [];
      }
    }
    if (chunk.length > 0) yield chunk;
  } finally {
    await session.endSession();
  }
}
