/**
 * Records documents as they are, for an operator: the graph is to have them anew, though nobody has changed them. Each
 * event's state is the one that its position says, whoever writes to the same documents at the same time.
 *
 * To read a document in the event's transaction would not be enough: a writer that changes the document meanwhile does
 * not conflict with a read, commits before the event gets its position, and the older state would carry the greater
 * position. So the document is written as well. A write that changes nothing is dropped by the server and takes no lock
 * (seen with `$set` to the same value); so a field is added, and removed in the same transaction, and nobody but a
 * change stream on the collection ever sees it.
 */
import type { ClientSession, Collection, Db, Document, MongoClient } from 'mongodb';
import { Fault, isDataFault } from '../../lib/contract/fault.ts';
import { type OutboxDocument, outboxCollection } from '../../lib/contract/outbox-event.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { exactTypes } from '../../lib/outbox/mongodb-read-event.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../lib/projection/project.ts';
import { inTransaction, labelTransient } from '../../lib/writer/in-transaction.ts';
import { createEvent } from '../../lib/writer/record-event.ts';
import type { DocumentId } from './mongodb-documents.ts';

/** What became of the documents; one that was deleted meanwhile is in neither. */
export interface RecordedStates {
  readonly recorded: number;
  /**
   * Documents whose projection fails: their events are recorded all the same, and will be dead, where everybody sees
   * them.
   */
  readonly unprojectable: number;
  /** Documents that no event can be made of. */
  readonly unrecordable: readonly UnrecordableDocument[];
}

export interface UnrecordableDocument {
  readonly id: DocumentId;
  readonly reason: string;
}

/** A field that exists only while the transaction runs. */
const touchField = '_outgraphTouch';

/** Others write to some of these documents: they are recorded in smaller transactions. */
class Contended extends Error {}

/**
 * Records the current states of the documents with these ids, in one transaction, or in several where others write to
 * them at the same time.
 *
 * @throws Fault `mongodb-unavailable`: some of the documents may be recorded. To record them twice does no harm.
 */
export async function recordCurrentStates<State>(
  client: MongoClient,
  db: Db,
  definition: AggregateDefinition<State>,
  ids: readonly DocumentId[],
): Promise<RecordedStates> {
  if (ids.length === 0) return { recorded: 0, unprojectable: 0, unrecordable: [] };
  return withMongodbFaults(async () => {
    return recordOrSplit(ids, (some, splits) => {
      let attempts = 0;
      return inTransaction(client, undefined, (session) => {
        attempts += 1;
        if (attempts > 1 && splits) throw new Contended();
        return recordTouched(session, db, definition, some);
      });
    });
  });
}

type RecordSome = (ids: readonly DocumentId[], splits: boolean) => Promise<RecordedStates>;

async function recordOrSplit(ids: readonly DocumentId[], record: RecordSome): Promise<RecordedStates> {
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
): Promise<RecordedStates> {
  const collection = db.collection(definition.collection);
  const documents = await labelTransient(() => touch(session, collection, ids));
  const events: OutboxDocument[] = [];
  const unrecordable: UnrecordableDocument[] = [];
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

/** Locks the documents until the transaction ends, and returns them as they are. */
async function touch(
  session: ClientSession,
  collection: Collection<Document>,
  ids: readonly DocumentId[],
): Promise<readonly Document[]> {
  const filter = { _id: { $in: [...ids] } } as Document;
  // The field must get past a validator that knows no such field.
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
    const reason = error instanceof Fault ? error.message : 'The aggregate has no id for this document.';
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
