/** Walks through a collection of documents in the order of their ids, a part at a time, so that nothing has to be kept open for hours. */
import { BSON, type Collection, type Document } from 'mongodb';
import { exactTypes } from './read-outbox-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/** A document's `_id`: a value of any BSON type. */
export type DocumentId = unknown;

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

/** By the bounds of the index and not by `$gt`, which finds only ids of the same BSON type. */
async function listPart(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
  projection: Document,
): Promise<readonly Document[]> {
  const cursor = collection
    .find({}, { projection, ...exactTypes })
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
