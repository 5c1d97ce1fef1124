/** Fetches the events of a batch of pointers with one query, in chunks of bounded size. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import { type Position, toPosition } from '../contract/position.ts';
import type { EventChunk } from '../outbox/fetched-event.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { readRawEvent } from '../outbox/mongodb-read-event.ts';

/**
 * Limits of a chunk. A decoded event takes about ten times its bytes. A single event may exceed the
 * byte limit.
 */
const chunkMaxEvents = 1_000;
const chunkMaxBytes = 4 * 1024 * 1024;

/**
 * Yields the given events in no particular order; purged events are absent. It reads from the
 * primary with read concern majority, so that no write that may still be rolled back reaches the
 * graph.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function* fetchEvents(
  outbox: Collection<Document>,
  eventIds: readonly string[],
): AsyncGenerator<EventChunk> {
  const ids = eventIds.map((id) => ObjectId.createFromHexString(id));
  const session = outbox.db.client.startSession();
  const cursor = outbox.find(
    { _id: { $in: ids } },
    { raw: true, batchSize: chunkMaxEvents, readConcern: { level: 'majority' }, readPreference: 'primary', session },
  );
  try {
    let documents: Uint8Array[] = [];
    let bytes = 0;
    const takeChunk = (): EventChunk => {
      const taken = documents;
      const clusterTime = session.operationTime === undefined ? null : toPosition(session.operationTime);
      documents = [];
      bytes = 0;
      return { read: () => taken.map((document) => readRaw(document, clusterTime)) };
    };
    while (await withMongodbFaults(() => cursor.hasNext())) {
      for (const document of cursor.readBufferedDocuments() as unknown as Uint8Array[]) {
        if (documents.length > 0 && (bytes + document.length > chunkMaxBytes || documents.length === chunkMaxEvents))
          yield takeChunk();
        documents.push(document);
        bytes += document.length;
      }
    }
    if (documents.length > 0) yield takeChunk();
  } finally {
    await cursor.close().catch(() => undefined);
    await session.endSession().catch(() => undefined);
  }
}

/**
 * MongoDB stores `_id` first in every document. Here it is an ObjectId, because the query selects
 * by ObjectIds.
 */
function readRaw(document: Uint8Array, clusterTime: Position | null) {
  const id = Buffer.from(document.buffer, document.byteOffset + idOffset, 12).toString('hex');
  return readRawEvent(document, id, clusterTime);
}

/**
 * Offset of the ObjectId in a BSON document: document length (4 bytes), element type (1), name
 * "_id" with its zero (4).
 *
 * https://bsonspec.org/spec.html
 */
const idOffset = 9;
