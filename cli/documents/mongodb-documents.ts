/**
 * Reads a collection of documents in the order of their ids, one chunk at a time, so that no cursor
 * stays open for hours.
 */
import { BSON, type ClientSession, type Collection, type Document, type MongoClient, Timestamp } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';
import { exactTypes, lenientTypes } from '../../lib/contract/exact-types.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { fromPosition, type Position } from '../../lib/contract/position.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** A document's `_id`: a value of any BSON type. */
export type DocumentId = unknown;

/**
 * A document as it was read. A damaged document does not prevent reading the others of its chunk.
 */
export interface StoredDocument {
  readonly id: DocumentId;
  /**
   * Each value in its stored BSON type. In a damaged document, U+FFFD replaces bytes that are not
   * UTF-8.
   */
  readonly document: Document;
  /** Why it cannot be recorded as an event; null for an undamaged document. */
  readonly damage: Fault | null;
}

/** Read only documents that cannot be rolled back. Each one is decoded separately: see `decode`. */
const readOptions = { readConcern: { level: 'majority' }, raw: true } as const;

/**
 * The ids of the next documents.
 *
 * @param after the last id of the previous chunk; null at the start.
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDocumentIds(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly DocumentId[]> {
  return (await listChunk(collection, after, limit, { _id: 1 })).map(({ id }) => id);
}

/** The next documents. Parameters and errors as for `listDocumentIds`. */
export async function listDocuments(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly StoredDocument[]> {
  return listChunk(collection, after, limit, {});
}

/** The existing documents with these ids. @throws Fault `mongodb-unavailable`. */
export async function readDocuments(
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<readonly StoredDocument[]> {
  return withMongodbFaults(() => readByIds(collection, ids));
}

/** Documents with everything that was committed up to a time, and possibly with later writes. */
export interface DocumentsSince {
  readonly documents: readonly StoredDocument[];
  readonly committedUntil: Position;
}

/** Like `listDocuments`, with the time up to which the documents are complete. */
export async function listDocumentsSince(
  client: MongoClient,
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<DocumentsSince> {
  return readSince(client, collection, (session) => listChunk(collection, after, limit, {}, session));
}

/** Like `readDocuments`, with the time up to which the documents are complete. */
export async function readDocumentsSince(
  client: MongoClient,
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<DocumentsSince> {
  return readSince(client, collection, (session) => withMongodbFaults(() => readByIds(collection, ids, session)));
}

/**
 * The session's operation time makes the server wait until a majority has everything that was
 * committed up to it. Such a read also waits for transactions that are about to commit on several
 * shards
 * (https://github.com/mongodb/mongo/blob/master/jstests/replsets/prepare_conflict_read_concern_behavior.js).
 * This is not a snapshot session: the driver does not expose its time, and the documents need not
 * be of one moment.
 */
async function readSince(
  client: MongoClient,
  collection: Collection<Document>,
  read: (session: ClientSession) => Promise<readonly StoredDocument[]>,
): Promise<DocumentsSince> {
  const committedUntil = await readClusterTime(client, collection);
  return client.withSession({ causalConsistency: true }, async (session) => {
    session.advanceOperationTime(new Timestamp(fromPosition(committedUntil)));
    return { documents: await read(session), committedUntil };
  });
}

/** Uses the bounds of the index. `$gt` would find only ids of the same BSON type. */
async function listChunk(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
  projection: Document,
  session?: ClientSession,
): Promise<readonly StoredDocument[]> {
  const cursor = collection
    .find<Uint8Array>({}, { projection, ...readOptions, ...(session === undefined ? {} : { session }) })
    .sort({ _id: 1 })
    .hint({ _id: 1 });
  if (after === null) return (await withMongodbFaults(() => cursor.limit(limit).toArray())).map(decode);
  // The bound is inclusive, but its document may have been deleted in the meantime.
  const found = await withMongodbFaults(() =>
    cursor
      .min({ _id: after.id })
      .limit(limit + 1)
      .toArray(),
  );
  const documents = found.map(decode);
  return isSameId(documents[0]?.id, after.id) ? documents.slice(1) : documents.slice(0, limit);
}

async function readByIds(
  collection: Collection<Document>,
  ids: readonly DocumentId[],
  session?: ClientSession,
): Promise<readonly StoredDocument[]> {
  const filter = { _id: { $in: [...ids] } } as Document;
  const options = { ...readOptions, ...(session === undefined ? {} : { session }) };
  return (await collection.find<Uint8Array>(filter, options).toArray()).map(decode);
}

/** Writers in some languages write strings that are not UTF-8, and the server accepts them. */
function decode(bytes: Uint8Array): StoredDocument {
  try {
    const document = BSON.deserialize(bytes, exactTypes);
    return { id: document._id, document, damage: null };
  } catch (error) {
    if (!(error instanceof BSON.BSONError)) throw error;
    const document = BSON.deserialize(bytes, lenientTypes);
    const id: DocumentId = document._id;
    const reason =
      `The document with _id ${idText(id)} contains text that is not valid UTF-8. ` +
      'It cannot be recorded as an event until a writer corrects it.';
    return { id, document, damage: new Fault('payload-invalid', reason, { cause: error }) };
  }
}

/** A document's `_id` as relaxed Extended JSON, for people: 7 and "7" differ. */
export function idText(id: DocumentId): string {
  if (bsonTypeOf(id) === 'Long') return String(id);
  return BSON.EJSON.stringify({ id }).slice('{"id":'.length, -1);
}

/**
 * The approximate number of documents, from the collection's metadata.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function estimateDocuments(collection: Collection<Document>): Promise<number> {
  return withMongodbFaults(() => collection.estimatedDocumentCount());
}

function isSameId(left: DocumentId, right: DocumentId): boolean {
  return textOf(left) === textOf(right);
}

function textOf(id: DocumentId): string {
  return BSON.EJSON.stringify({ id }, { relaxed: false });
}
