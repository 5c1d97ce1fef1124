/**
 * Finds the document of an aggregate id. The aggregate's `id` function works only from the document
 * to the id. So this tries the ids that the text can represent, then the ids in the aggregate's
 * events, and finally, if requested, every document of the collection. The `id` function checks
 * each candidate.
 */
import { BSON, type Collection, type Db, type Document, Long, ObjectId, UUID } from 'mongodb';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { type AggregateDefinition, documentId } from '../../lib/projection/define-aggregate.ts';
import { findRecentlyProcessed, findUnsettledEvents } from '../show/mongodb-recent-events.ts';
import { type DocumentId, listDocuments, readDocuments, type StoredDocument } from './mongodb-documents.ts';

export interface FindOptions {
  /** Search the whole collection if nothing else finds the document. This can take hours. */
  readonly walk: boolean;
  /** Ends the walk when aborted. */
  readonly signal: AbortSignal;
  /** Receives the number of documents that the walk has examined. */
  readonly progress: (examined: number) => void;
}

/**
 * `absent`: no document has the id. `not-found`: no likely document has it, and the collection was
 * not searched.
 */
export type FoundDocument =
  | { readonly outcome: 'found'; readonly document: Document }
  | { readonly outcome: 'absent' | 'not-found' | 'interrupted' };

const examinedEvents = 20;
const chunkDocuments = 500;

/**
 * Finds the document of an aggregate, each value in the BSON type that is stored.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findDocument(
  db: Db,
  definition: Pick<AggregateDefinition, 'type' | 'id' | 'collection'>,
  aggregateId: string,
  options: FindOptions,
): Promise<FoundDocument> {
  const collection = db.collection(definition.collection);
  const matches = ({ document }: StoredDocument) => idOf(definition, document) === aggregateId;
  const likely = await readDocuments(collection, idsOfText(aggregateId));
  const first = likely.find(matches);
  if (first !== undefined) return { outcome: 'found', document: first.document };
  // An aggregate id that is the text of the `_id` is among the likely ids, or there is no document.
  if (definition.id === documentId) return { outcome: 'absent' };
  const ids = await idsOfEvents(outboxOf(db), definition.type, aggregateId);
  const found = (await readDocuments(collection, ids)).find(matches);
  if (found !== undefined) return { outcome: 'found', document: found.document };
  return options.walk ? walk(collection, matches, options) : { outcome: 'not-found' };
}

async function walk(
  collection: Collection<Document>,
  matches: (stored: StoredDocument) => boolean,
  { signal, progress }: FindOptions,
): Promise<FoundDocument> {
  let after: { readonly id: DocumentId } | null = null;
  for (let examined = 0; !signal.aborted; ) {
    const page: readonly StoredDocument[] = await listDocuments(collection, after, chunkDocuments);
    const found = page.find(matches);
    if (found !== undefined) return { outcome: 'found', document: found.document };
    const last = page.at(-1);
    if (last === undefined) return { outcome: 'absent' };
    after = { id: last.id };
    examined += page.length;
    progress(examined);
  }
  return { outcome: 'interrupted' };
}

/** Every `_id` that `documentId` converts to this text. */
export function idsOfText(aggregateId: string): readonly DocumentId[] {
  const ids: DocumentId[] = [aggregateId];
  if (/^[0-9a-f]{24}$/.test(aggregateId)) ids.push(ObjectId.createFromHexString(aggregateId));
  if (/^(0|-?[1-9]\d{0,18})$/.test(aggregateId) && BigInt.asIntN(64, BigInt(aggregateId)) === BigInt(aggregateId))
    // The server compares numbers by value, so this finds doubles and integers of any type.
    ids.push(Long.fromString(aggregateId));
  if (UUID.isValid(aggregateId)) ids.push(new UUID(aggregateId));
  return ids;
}

/** Every `_id` in the payloads of the aggregate's events. */
export async function idsOfEvents(
  outbox: Collection<Document>,
  aggregateType: string,
  aggregateId: string,
): Promise<readonly DocumentId[]> {
  const aggregate = { aggregateType, aggregateId };
  const fields = { _id: 0, 'payload._id': 1 };
  const events = [
    ...(await findUnsettledEvents(outbox, aggregate, fields, examinedEvents)),
    ...(await findRecentlyProcessed(outbox, aggregate, fields, examinedEvents)),
  ];
  const ids = events.flatMap(({ payload }) => (payload?._id === undefined ? [] : [payload._id as DocumentId]));
  return [...new Map(ids.map((id) => [BSON.EJSON.stringify({ id }, { relaxed: false }), id])).values()];
}

/** Null if the function throws: it may only support documents of its type. */
function idOf(definition: Pick<AggregateDefinition, 'id'>, document: Document): string | null {
  try {
    return definition.id(document);
  } catch {
    return null;
  }
}
