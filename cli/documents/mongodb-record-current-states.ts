/**
 * Records the current states of unchanged documents as events, to write them to the graph again.
 * Each event's state matches its position, even while writers change the same documents.
 *
 * Reading a document in the event's transaction is not enough. A concurrent writer does not
 * conflict with a read. It could commit before the event gets its position, and the older state
 * would then get the greater position. So the transaction also writes the document. The server
 * drops a write that changes nothing and takes no lock for it (seen with `$set` to the same value).
 * So the transaction adds a field and removes it again. Only a change stream on the collection sees
 * this.
 */
import { BSON, type ClientSession, type Collection, type Db, type Document, type MongoClient } from 'mongodb';
import { exactTypes } from '../../lib/contract/exact-types.ts';
import { Fault, isDataFault } from '../../lib/contract/fault.ts';
import { type OutboxDocument, outboxCollection } from '../../lib/contract/outbox-event.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../lib/projection/project.ts';
import { inTransaction, labelTransient } from '../../lib/writer/in-transaction.ts';
import { createEvent } from '../../lib/writer/record-event.ts';
import type { RecordedChunk } from '../backfill/record-all.ts';
import { type DocumentId, readDocuments } from './mongodb-documents.ts';

type Recorded = RecordedChunk<DocumentId>;

/** A field that exists only while the transaction runs. */
const touchField = '_outgraphTouch';

/**
 * Thrown when writers change some of these documents. They are then recorded in smaller
 * transactions.
 */
class Contended extends Error {}

/**
 * Like `recordCurrentStates`, but reports documents that cannot be decoded as unrecordable instead
 * of failing.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function recordDocuments(
  db: Db,
  definition: AggregateDefinition,
  ids: readonly DocumentId[],
): Promise<Recorded> {
  try {
    return await recordCurrentStates(db.client, db, definition, ids);
  } catch (error) {
    if (!(error instanceof Fault && error.cause instanceof BSON.BSONError)) throw error;
    const stored = await readDocuments(db.collection(definition.collection), ids);
    const damaged = stored.flatMap(({ id, damage }) => (damage === null ? [] : [{ id, reason: damage.message }]));
    if (damaged.length === 0) throw error;
    const sound = stored.filter(({ damage }) => damage === null).map(({ id }) => id);
    const chunk = await recordCurrentStates(db.client, db, definition, sound);
    return { ...chunk, unrecordable: [...chunk.unrecordable, ...damaged] };
  }
}

/**
 * Records the current states of the documents with these ids, in one transaction, or in several if
 * writers change them at the same time. The result does not include documents that were deleted in
 * the meantime.
 *
 * @throws Fault `mongodb-unavailable`. Some of the documents may then be recorded; recording them
 * twice is harmless.
 */
export async function recordCurrentStates<State>(
  client: MongoClient,
  db: Db,
  definition: AggregateDefinition<State>,
  ids: readonly DocumentId[],
): Promise<Recorded> {
  if (ids.length === 0) return { recorded: 0, unprojectable: 0, unrecordable: [] };
  return withMongodbFaults(async () => {
    return recordOrSplit(ids, (chunk, canSplit) => {
      let attempts = 0;
      return inTransaction(client, undefined, (session) => {
        attempts += 1;
        if (attempts > 1 && canSplit) throw new Contended();
        return recordTouched(session, db, definition, chunk);
      });
    });
  });
}

type RecordChunk = (ids: readonly DocumentId[], canSplit: boolean) => Promise<Recorded>;

async function recordOrSplit(ids: readonly DocumentId[], record: RecordChunk): Promise<Recorded> {
  try {
    return await record(ids, ids.length > 1);
  } catch (error) {
    if (!(error instanceof Contended)) throw error;
  }
  const middle = Math.ceil(ids.length / 2);
  const left = await recordOrSplit(ids.slice(0, middle), record);
  const right = await recordOrSplit(ids.slice(middle), record);
  return {
    recorded: left.recorded + right.recorded,
    unprojectable: left.unprojectable + right.unprojectable,
    unrecordable: [...left.unrecordable, ...right.unrecordable],
  };
}

async function recordTouched<State>(
  session: ClientSession,
  db: Db,
  definition: AggregateDefinition<State>,
  ids: readonly DocumentId[],
): Promise<Recorded> {
  const collection = db.collection(definition.collection);
  const documents = await labelTransient(() => touch(session, collection, ids));
  const events: OutboxDocument[] = [];
  const unrecordable: Recorded['unrecordable'][number][] = [];
  let unprojectable = 0;
  for (const document of documents) {
    const made = makeEvent(definition, document);
    if (made.outcome === 'unrecordable') unrecordable.push({ id: document._id, reason: made.reason });
    else {
      events.push(made.event);
      if (!made.projectable) unprojectable += 1;
    }
  }
  const outbox = db.collection<OutboxDocument>(outboxCollection);
  if (events.length > 0) await labelTransient(() => outbox.insertMany(events, { session, ignoreUndefined: false }));
  return { recorded: events.length, unprojectable, unrecordable };
}

/** Locks the documents until the transaction ends, and returns them unchanged. */
async function touch(
  session: ClientSession,
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<readonly Document[]> {
  const filter = { _id: { $in: [...ids] } } as Document;
  // The collection's validator may not allow the field.
  const options = { session, bypassDocumentValidation: true };
  await collection.updateMany(filter, { $set: { [touchField]: true } }, options);
  await collection.updateMany(filter, { $unset: { [touchField]: '' } }, options);
  return collection.find(filter, { ...exactTypes, session }).toArray();
}

type MadeEvent =
  | { readonly outcome: 'made'; readonly event: OutboxDocument; readonly projectable: boolean }
  | { readonly outcome: 'unrecordable'; readonly reason: string };

function makeEvent<State>(definition: AggregateDefinition<State>, document: Document): MadeEvent {
  let aggregateId: string;
  let event: OutboxDocument;
  try {
    aggregateId = definition.id(document);
    event = createEvent(definition, { operation: 'upsert', aggregateId, payload: document });
  } catch (error) {
    const reason = error instanceof Fault ? error.message : "The aggregate's id function failed for this document.";
    return { outcome: 'unrecordable', reason };
  }
  try {
    projectPayload(definition, aggregateId, document);
    return { outcome: 'made', event, projectable: true };
  } catch (error) {
    if (!isDataFault(error)) throw error;
    return { outcome: 'made', event, projectable: false };
  }
}
