/** Finds the documents and aggregates of a scope, without walking the whole collection. */
import { type Collection, type Db, type Document, MongoServerError, Timestamp } from 'mongodb';
import { exactTypes } from '../../lib/contract/exact-types.ts';
import { Fault } from '../../lib/contract/fault.ts';
import { purgeIndex } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { readKeptSince } from '../../lib/outbox/mongodb-measure.ts';
import { type AggregateDefinition, documentId } from '../../lib/projection/define-aggregate.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { readOutboxTime } from '../databases.ts';
import { Refusal } from '../terminal/run-command.ts';
import type { DocumentId } from './mongodb-documents.ts';
import { idsOfEvents, idsOfText } from './mongodb-find-document.ts';
import type { Scope } from './scope-options.ts';

/** What a command is limited to, of one type. */
export interface Selected {
  /** The ids of the scope's documents. All of them are held in memory. */
  readonly documents: readonly DocumentId[];
  /** The ids of the scope's aggregates, sorted; null if only its documents are known. */
  readonly aggregateIds: readonly string[] | null;
  /** Whether an aggregate certainly has no document if none of `documents` is its document. */
  readonly isCertain: boolean;
}

/**
 * @throws Refusal if events of the time are purged, or for a filter that MongoDB cannot use.
 * @throws Fault `mongodb-unavailable`.
 */
export async function select(db: Db, definition: AggregateDefinition, scope: Scope): Promise<Selected> {
  const collection = db.collection<Document>(definition.collection);
  if (scope.by === 'filter') {
    const documents = await idsOf(collection, scope.filter).catch((error: unknown) => {
      throw refusalOf(error);
    });
    return { documents, aggregateIds: null, isCertain: false };
  }
  const aggregateIds =
    scope.by === 'id' ? [...new Set(scope.aggregateIds)].sort() : await changedSince(db, definition, scope.since);
  const isOwnId = definition.id === documentId;
  const candidates: DocumentId[] = [];
  for (const aggregateId of aggregateIds)
    candidates.push(
      ...(isOwnId ? idsOfText(aggregateId) : await idsOfEvents(outboxOf(db), definition.type, aggregateId)),
    );
  const documents: DocumentId[] = [];
  for (const chunk of inChunks(candidates, candidatesAtOnce))
    documents.push(...(await idsOf(collection, { _id: { $in: [...chunk] } } as Document)));
  // An empty collection may be the wrong one.
  const isCertain = isOwnId && !(await isEmpty(collection));
  return { documents, aggregateIds, isCertain };
}

const candidatesAtOnce = 1_000;

async function isEmpty(collection: Collection<Document>): Promise<boolean> {
  return (await withMongodbFaults(() => collection.findOne({}, { projection: { _id: 1 } }))) === null;
}

/** Read before the documents, so that a long comparison keeps no cursor open. */
async function idsOf(collection: Collection<Document>, filter: Document): Promise<readonly DocumentId[]> {
  const options = { projection: { _id: 1 }, readConcern: { level: 'majority' }, ...exactTypes } as const;
  const found = await withMongodbFaults(() => collection.find(filter, options).toArray());
  return found.map(({ _id }) => _id);
}

/** What the server says of a filter that it cannot use. Any other error stays unchanged. */
function refusalOf(error: unknown): unknown {
  const cause = error instanceof Fault ? error.cause : null;
  const isOfFilter = cause instanceof MongoServerError && filterCodes.has(Number(cause.code));
  return isOfFilter ? new Refusal(`MongoDB cannot use this --filter: ${cause.message}`) : error;
}

/** BadValue, FailedToParse, TypeMismatch, and InvalidIdField and others of one expression. */
const filterCodes: ReadonlySet<number> = new Set([2, 9, 14, 17287, 51091, 51108]);

/** The ids of the type's aggregates with an event that was applied or recorded since, sorted. */
async function changedSince(db: Db, { type }: AggregateDefinition, since: Date): Promise<readonly string[]> {
  const outbox = outboxOf(db);
  const keptSince = await readKeptSince(outbox, await readOutboxTime(db));
  if (keptSince !== null && since < keptSince)
    throw new Refusal(
      `Events applied before ${keptSince.toISOString()} are purged, so it is unknown what changed since ` +
        `${since.toISOString()}. Name a later time, or leave out --since.`,
    );
  const recorded = new Timestamp({ t: Math.max(0, Math.floor(since.getTime() / 1000)), i: 0 });
  const unsettled = { aggregateType: type, status: { $in: ['pending', 'dead'] }, position: { $gte: recorded } };
  const group = { $group: { _id: '$aggregateId' } };
  const read = (match: Document, hint: string) =>
    withMongodbFaults(() => outbox.aggregate([{ $match: match }, group], { hint }).toArray());
  const found = [
    // In this order, an event that is settled between the two reads is found.
    ...(await read(unsettled, 'outgraph_unsettled')),
    ...(await read({ processedAt: { $gte: since }, aggregateType: type }, purgeIndex)),
  ];
  return [...new Set(found.map(({ _id }) => String(_id)))].sort();
}
