/** The consumer's fetch: the events that a batch of pointers names, in one query, as portions of a bounded size. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import { type Position, toPosition } from '../contract/position.ts';
import type { EventPortion } from '../outbox/fetched-event.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import { readRawEvent } from '../outbox/mongodb-read-event.ts';

/**
 * A portion has no more events and, with more than one, no more bytes: decoded, an event takes about ten times its
 * bytes.
 */
const portionEvents = 1_000;
const portionBytes = 4 * 1024 * 1024;

/**
 * The named events, in no order; one that was purged is absent. Reads with read concern majority from the primary, so
 * that nothing that could still be rolled back reaches the graph.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function* fetchEvents(
  outbox: Collection<Document>,
  eventIds: readonly string[],
): AsyncGenerator<EventPortion> {
  const ids = eventIds.map((id) => ObjectId.createFromHexString(id));
  const session = outbox.db.client.startSession();
  const cursor = outbox.find(
    { _id: { $in: ids } },
    { raw: true, batchSize: portionEvents, readConcern: { level: 'majority' }, readPreference: 'primary', session },
  );
  try {
    let documents: Uint8Array[] = [];
    let bytes = 0;
    const cut = (): EventPortion => {
      const whole = documents;
      const clusterTime = session.operationTime === undefined ? null : toPosition(session.operationTime);
      documents = [];
      bytes = 0;
      return { read: () => whole.map((document) => readRaw(document, clusterTime)) };
    };
    while (await withMongodbFaults(() => cursor.hasNext())) {
      for (const document of cursor.readBufferedDocuments() as unknown as Uint8Array[]) {
        if (documents.length > 0 && (bytes + document.length > portionBytes || documents.length === portionEvents))
          yield cut();
        documents.push(document);
        bytes += document.length;
      }
    }
    if (documents.length > 0) yield cut();
  } finally {
    await cursor.close().catch(() => undefined);
    await session.endSession().catch(() => undefined);
  }
}

/** MongoDB puts `_id` first in every document, and here it is an ObjectId: it was asked for by one. */
function readRaw(document: Uint8Array, clusterTime: Position | null) {
  const id = Buffer.from(document.buffer, document.byteOffset + idOffset, 12).toString('hex');
  return readRawEvent(document, id, clusterTime);
}

/**
 * The document's length (4 bytes), the element's type (1), its name "_id" with a zero (4).
 * https://bsonspec.org/spec.html
 */
const idOffset = 9;
