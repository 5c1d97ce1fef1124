/**
 * The way from an aggregate's id back to its document, which only the aggregate's own `id` function knows in the other
 * direction: ids that the text may stand for, ids that its events say, and at last, where that is wanted, every
 * document of the collection. Whatever is found is checked by that function.
 */
import { BSON, type Collection, type Document, Long, ObjectId, UUID } from 'mongodb';
import { type AggregateDefinition, documentId } from '../../lib/projection/define-aggregate.ts';
import { findRecentlyProcessed, findUnsettledEvents } from '../show/mongodb-recent-events.ts';
import { type DocumentId, listDocuments, readDocuments, type StoredDocument } from './mongodb-documents.ts';

/** A search for one document. */
export interface DocumentSearch {
  /** Go through the whole collection where nothing else finds it. */
  readonly walk: boolean;
  readonly isInterrupted: () => boolean;
  /** So many documents were looked at in the walk. */
  readonly progress: (looked: number) => void;
}

/**
 * `absent`: no document has the id; `not-found`: none of the likely ones has, and the collection was not gone through.
 */
export type FoundDocument =
  | { readonly outcome: 'found'; readonly document: Document }
  | { readonly outcome: 'absent' | 'not-found' | 'interrupted' };

const eventsLooked = 20;
const documentsAtOnce = 500;

/**
 * Finds the document of an aggregate, each value in the BSON type that is stored.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findDocument(
  collection: Collection<Document>,
  outbox: Collection<Document>,
  definition: Pick<AggregateDefinition, 'type' | 'id'>,
  aggregateId: string,
  search: DocumentSearch,
): Promise<FoundDocument> {
  const isMeant = ({ document }: StoredDocument) => idOf(definition, document) === aggregateId;
  const likely = await readDocuments(collection, idsOfText(aggregateId));
  const first = likely.find(isMeant);
  if (first !== undefined) return { outcome: 'found', document: first.document };
  // Whose text is that of its `_id` is among the likely ones, or nowhere.
  if (definition.id === documentId) return { outcome: 'absent' };
  const ids = await idsOfEvents(outbox, definition.type, aggregateId);
  const found = (await readDocuments(collection, ids)).find(isMeant);
  if (found !== undefined) return { outcome: 'found', document: found.document };
  return search.walk ? walk(collection, isMeant, search) : { outcome: 'not-found' };
}

async function walk(
  collection: Collection<Document>,
  isMeant: (stored: StoredDocument) => boolean,
  { isInterrupted, progress }: DocumentSearch,
): Promise<FoundDocument> {
  let after: { readonly id: DocumentId } | null = null;
  for (let looked = 0; !isInterrupted(); ) {
    const page: readonly StoredDocument[] = await listDocuments(collection, after, documentsAtOnce);
    const found = page.find(isMeant);
    if (found !== undefined) return { outcome: 'found', document: found.document };
    const last = page.at(-1);
    if (last === undefined) return { outcome: 'absent' };
    after = { id: last.id };
    looked += page.length;
    progress(looked);
  }
  return { outcome: 'interrupted' };
}

/** Every `_id` that `documentId` writes as this text. */
export function idsOfText(aggregateId: string): readonly DocumentId[] {
  const ids: DocumentId[] = [aggregateId];
  if (/^[0-9a-f]{24}$/.test(aggregateId)) ids.push(ObjectId.createFromHexString(aggregateId));
  if (/^(0|-?[1-9]\d{0,18})$/.test(aggregateId) && BigInt.asIntN(64, BigInt(aggregateId)) === BigInt(aggregateId))
    // The server compares numbers by their values: this finds an integer of any type, and a double.
    ids.push(Long.fromString(aggregateId));
  if (UUID.isValid(aggregateId)) ids.push(new UUID(aggregateId));
  return ids;
}

/** Every `_id` that the payloads of its events have. */
async function idsOfEvents(
  outbox: Collection<Document>,
  aggregateType: string,
  aggregateId: string,
): Promise<readonly DocumentId[]> {
  const aggregate = { aggregateType, aggregateId };
  const fields = { _id: 0, 'payload._id': 1 };
  const events = [
    ...(await findUnsettledEvents(outbox, aggregate, fields, eventsLooked)),
    ...(await findRecentlyProcessed(outbox, aggregate, fields, eventsLooked)),
  ];
  const ids = events.flatMap(({ payload }) => (payload?._id === undefined ? [] : [payload._id as DocumentId]));
  return [...new Map(ids.map((id) => [BSON.EJSON.stringify({ id }, { relaxed: false }), id])).values()];
}

/** Null where the function throws: it knows only the documents that its type has. */
function idOf(definition: Pick<AggregateDefinition, 'id'>, document: Document): string | null {
  try {
    return definition.id(document);
  } catch {
    return null;
  }
}
