/** Walks through a collection of documents in the order of their ids, a part at a time, so that nothing has to be kept open for hours. */
import { BSON, type Collection, type Document } from 'mongodb';
import { exactTypes } from './read-outbox-event.ts';
import { withMongodbFaults } from './translate-error.ts';

/** A document's `_id`: a value of any BSON type. */
export type DocumentId = unknown;

/**
 * The ids of the next documents. By the bounds of the index and not by `$gt`, which finds only ids of the same BSON type.
 *
 * @param after the last id of the part before; null at the beginning.
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDocumentIds(
  collection: Collection<Document>,
  after: { readonly id: DocumentId } | null,
  limit: number,
): Promise<readonly DocumentId[]> {
  const cursor = collection
    .find({}, { projection: { _id: 1 }, ...exactTypes })
    .sort({ _id: 1 })
    .hint({ _id: 1 });
  if (after === null) {
    const documents = await withMongodbFaults(() => cursor.limit(limit).toArray());
    return documents.map(({ _id }) => _id);
  }
  // The bound is inclusive; the document that stood there may have been deleted meanwhile.
  const bounded = cursor.min({ _id: after.id }).limit(limit + 1);
  const ids = (await withMongodbFaults(() => bounded.toArray())).map(({ _id }) => _id as DocumentId);
  return isSameId(ids[0], after.id) ? ids.slice(1) : ids.slice(0, limit);
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
