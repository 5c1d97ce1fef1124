/**
 * Walks through a collection of documents in the order of their ids, a part at a time, so that nothing has to be kept
 * open for hours.
 */
import { BSON, type ClientSession, type Collection, type Document, type MongoClient, Timestamp } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { fromPosition, type Position } from '../../lib/contract/position.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { exactTypes, lenientTypes } from '../../lib/outbox/mongodb-read-event.ts';

/** A document's `_id`: a value of any BSON type. */
export type DocumentId = unknown;

/** A document as it was read. One that is damaged does not keep the others of its page from being read. */
export interface StoredDocument {
  readonly id: DocumentId;
  /** Each value in the BSON type that is stored. In a damaged document, U+FFFD replaces bytes that are not UTF-8. */
  readonly document: Document;
  /** Why no event can be made of it; null for every document that is as it should be. */
  readonly damage: Fault | null;
}

/** What is read must not be rolled back. Each document is decoded on its own: see `decode`. */
const readOptions = { readConcern: { level: 'majority' }, raw: true } as const;

/**
 * The ids of the next documents.
 *
 * @param after the last id of the part before; null at the beginning.
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDocumentIds(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly DocumentId[]> {
  return (await listPart(collection, after, limit, { _id: 1 })).map(({ id }) => id);
}

/** The next documents whole. Parameters and errors as of `listDocumentIds`. */
export async function listDocuments(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly StoredDocument[]> {
  return listPart(collection, after, limit, {});
}

/** Those of the documents with these ids that are there. @throws Fault `mongodb-unavailable`. */
export async function readDocuments(
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<readonly StoredDocument[]> {
  return withMongodbFaults(() => readByIds(collection, ids));
}

/** Documents, and a time: whatever was committed up to it is in them, and maybe something later. */
export interface DocumentsSince {
  readonly documents: readonly StoredDocument[];
  readonly committedUntil: Position;
}

/** As `listDocuments`, and tells what the documents contain at least. */
export async function listDocumentsSince(
  client: MongoClient,
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<DocumentsSince> {
  return readSince(client, collection, (session) => listPart(collection, after, limit, {}, session));
}

/** As `readDocuments`, and tells what the documents contain at least. */
export async function readDocumentsSince(
  client: MongoClient,
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<DocumentsSince> {
  return readSince(client, collection, (session) => withMongodbFaults(() => readByIds(collection, ids, session)));
}

/**
 * The session's operation time makes the server wait until the majority has all that was committed up to it; a read
 * like this one also waits for transactions that are about to commit on several shards
 * (https://github.com/mongodb/mongo/blob/master/jstests/replsets/prepare_conflict_read_concern_behavior.js). Not a
 * snapshot session: the driver does not tell its time, and what is read need not be of one moment.
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

/** By the bounds of the index and not by `$gt`, which finds only ids of the same BSON type. */
async function listPart(
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
  // The bound is inclusive; the document that stood there may have been deleted meanwhile.
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

/** Writers in some languages put bytes into texts that are no UTF-8; the server takes them. */
function decode(bytes: Uint8Array): StoredDocument {
  try {
    const document = BSON.deserialize(bytes, exactTypes);
    return { id: document._id, document, damage: null };
  } catch (error) {
    if (!(error instanceof BSON.BSONError)) throw error;
    const document = BSON.deserialize(bytes, lenientTypes);
    const id: DocumentId = document._id;
    const reason = `The document with _id ${idText(id)} holds text that is not UTF-8: no event can be made of it until a writer corrects it.`;
    return { id, document, damage: new Fault('payload-invalid', reason, { cause: error }) };
  }
}

/** A document's `_id` for people, as relaxed Extended JSON: 7 and "7" differ. */
export function idText(id: DocumentId): string {
  if (bsonTypeOf(id) === 'Long') return String(id);
  return BSON.EJSON.stringify({ id }).slice('{"id":'.length, -1);
}

/** About how many documents there are, by the collection's metadata. @throws Fault `mongodb-unavailable`. */
export async function estimateDocuments(collection: Collection<Document>): Promise<number> {
  return withMongodbFaults(() => collection.estimatedDocumentCount());
}

function isSameId(left: DocumentId, right: DocumentId): boolean {
  return textOf(left) === textOf(right);
}

function textOf(id: DocumentId): string {
  return BSON.EJSON.stringify({ id }, { relaxed: false });
}
