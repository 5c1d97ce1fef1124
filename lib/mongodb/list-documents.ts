/** Walks through a collection of documents in the order of their ids, a part at a time, so that nothing has to be kept open for hours. */
import { BSON, type ClientSession, type Collection, type Document, type MongoClient, Timestamp } from 'mongodb';
import { fromPosition, type Position } from '../contract/position.ts';
import { exactTypes } from './read-outbox-event.ts';
import { readClusterTime } from './scan-pending.ts';
import { withMongodbFaults } from './translate-error.ts';

/** A document's `_id`: a value of any BSON type. */
export type DocumentId = unknown;

/** What is read must not be rolled back. */
const readConcern = { level: 'majority' } as const;

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
  return (await listPart(collection, after, limit, { _id: 1 })).map(({ _id }) => _id as DocumentId);
}

/** The next documents whole, each value in the BSON type that is stored. Parameters and errors as of `listDocumentIds`. */
export async function listDocuments(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly Document[]> {
  return listPart(collection, after, limit, {});
}

/** Those of the documents with these ids that are there. @throws Fault `mongodb-unavailable`. */
export async function readDocuments(
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<readonly Document[]> {
  return withMongodbFaults(() => collection.find({ _id: { $in: [...ids] } } as Document, exactTypes).toArray());
}

/** Documents, and a time: whatever was committed up to it is in them, and maybe something later. */
export interface DocumentsSince {
  readonly documents: readonly Document[];
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
  return readSince(client, collection, (session) =>
    withMongodbFaults(() =>
      collection.find({ _id: { $in: [...ids] } } as Document, { ...exactTypes, session, readConcern }).toArray(),
    ),
  );
}

/**
 * The session's operation time makes the server wait until the majority has all that was committed up to it; a read like this one also waits for transactions that are about to commit on several shards
 * (https://github.com/mongodb/mongo/blob/master/jstests/replsets/prepare_conflict_read_concern_behavior.js). Not a snapshot session: the driver does not tell its time, and what is read need not be of one moment.
 */
async function readSince(
  client: MongoClient,
  collection: Collection<Document>,
  read: (session: ClientSession) => Promise<readonly Document[]>,
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
): Promise<readonly Document[]> {
  const cursor = collection
    .find({}, { projection, ...exactTypes, readConcern, ...(session === undefined ? {} : { session }) })
    .sort({ _id: 1 })
    .hint({ _id: 1 });
  if (after === null) return withMongodbFaults(() => cursor.limit(limit).toArray());
  // The bound is inclusive; the document that stood there may have been deleted meanwhile.
  const documents = await withMongodbFaults(() =>
    cursor
      .min({ _id: after.id })
      .limit(limit + 1)
      .toArray(),
  );
  return isSameId(documents[0]?._id, after.id) ? documents.slice(1) : documents.slice(0, limit);
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
