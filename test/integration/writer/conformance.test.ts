/**
 * The TypeScript writer with the tables that every writer library must pass (`test/conformance/`).
 */
import { EJSON } from 'bson';
import {
  type ClientSession,
  type Db,
  type Document,
  type IndexSpecification,
  Int32,
  MongoServerError,
  Timestamp,
} from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { type AggregateDefinition, defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { type AggregateChange, recordEvent } from '../../../lib/writer/record-event.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { readCases, type SessionCase } from '../../conformance/read-cases.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let db: Db;
const collections = new Set([
  'notes',
  'conformance_notes',
  'outbox',
  ...[...catalog.values()].map(({ collection }) => collection),
]);

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterEach(async () => {
  for (const name of collections) await db.collection(name).deleteMany({});
});
afterAll(() => database.drop());

/** An aggregate type that accepts any document, to test the library without a payload schema. */
const untyped = (type: string, id = documentId, payload: z.ZodType = z.unknown()): AggregateDefinition =>
  defineAggregate({
    type,
    collection: 'notes',
    id,
    payload,
    project: (_, id) => ({ nodes: [{ label: 'Note', key: { id } }], relationships: [] }),
  });

const exactly = (value: unknown) => EJSON.stringify(value, { relaxed: false });
const read = (collection: string) =>
  db.collection<Document>(collection).find({}, exactTypes).sort({ _id: 1 }).toArray();
const readEvents = () => db.collection<Document>('outbox').find({}, exactTypes).sort({ position: 1 }).toArray();

/** The refusal of an attempt, as a caller sees it. */
async function refusalOf(attempt: () => unknown): Promise<Document> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, message: error.message };
    if (error instanceof MongoServerError && error.code === 11_000) return { code: 'duplicate-key' };
    if (error instanceof MongoServerError && error.code === 121) return { code: 'validator' };
    if (error instanceof TypeError) return { code: 'invalid-call' };
    throw error;
  }
  throw new Error('It was not refused.');
}

const inTransaction = (work: (session: ClientSession) => Promise<unknown>) =>
  database.client.withSession((session) => session.withTransaction(() => work(session)));

/** Catches what the work throws and attempts to commit anyway. */
const commitRegardless = (work: (session: ClientSession) => Promise<unknown>) =>
  database.client.withSession(async (session) => {
    session.startTransaction();
    const failed = await work(session).then(
      () => false,
      () => true,
    );
    const committed = await session.commitTransaction().then(
      () => true,
      () => false,
    );
    return { failed, committed };
  });

describe('a tracked document:', () => {
  const cases = [...readCases('documents'), ...readCases('documents', 'xmem/conformance')];
  it.each(cases)('$name', async ({ aggregateType, collection, document, refused, at }) => {
    const definition = catalog.get(aggregateType);
    if (definition === undefined) throw new Error(`There is no aggregate type ${aggregateType}.`);
    expect(definition.collection).toBe(collection);
    const insert = (options: { session?: ClientSession } = {}) =>
      trackCollection(database.client, db, definition).insertOne(document, options);
    if (refused === undefined) {
      await insert();
      expect(exactly(await read(collection))).toBe(exactly([document]));
      const [event, ...others] = await readEvents();
      expect(others).toHaveLength(0);
      expect(event).toMatchObject({ aggregateType, aggregateId: String(document._id), operation: 'upsert' });
      expect(exactly(event?.payload)).toBe(exactly(document));
    } else {
      const refusal = await refusalOf(insert);
      expect(refusal.code).toBe(refused);
      expect(refusal.message).toContain(at);
      expect(await commitRegardless((session) => insert({ session }))).toMatchObject({ failed: true });
      expect(await read(collection)).toStrictEqual([]);
      expect(await readEvents()).toStrictEqual([]);
    }
  });
});

describe('a recorded event:', () => {
  it.each(readCases('events'))('$name', async ({ change, traceparent, refused, at, event: more = {} }) => {
    const record = async (session: ClientSession) => {
      await db.collection<Document>('conformance_notes').insertOne({ _id: 'document' as never }, { session });
      const definition =
        refused === 'event-invalid' && at === 'aggregateType'
          ? { ...untyped('note'), type: change.aggregateType }
          : untyped(change.aggregateType);
      const { aggregateType: _, ...recorded } = change;
      await recordEvent(
        session,
        db,
        definition,
        recorded as AggregateChange,
        traceparent === undefined ? {} : { traceparent },
      );
    };
    if (refused === undefined) {
      await inTransaction(record);
      const [event = {} as Document, ...others] = await readEvents();
      expect(others).toHaveLength(0);
      const { _id, position, createdAt, ...rest } = event;
      expect(_id?._bsontype).toBe('ObjectId');
      expect(position instanceof Timestamp).toBe(true);
      expect(createdAt instanceof Date).toBe(true);
      expect(position.high, 'the server has filled in the position').toBeGreaterThan(0);
      const { payload, ...named } = change;
      const expected = {
        ...named,
        ...(payload === undefined ? {} : { payload }),
        status: 'pending',
        attempts: new Int32(0),
        ...more,
      };
      expect(sorted(rest)).toBe(sorted(expected));
      expect(await read('conformance_notes')).toHaveLength(1);
    } else {
      const refusal = await refusalOf(() => inTransaction(record));
      expect(refusal.code).toBe(refused);
      expect(refusal.message).toContain(at);
      expect(await commitRegardless(record)).toStrictEqual({ failed: true, committed: false });
      expect(await read('conformance_notes')).toStrictEqual([]);
      expect(await readEvents()).toStrictEqual([]);
    }
  });
});

/** Compares an event's fields in any order, and a payload's fields in their own order. */
function sorted(event: Document): string {
  return exactly(Object.fromEntries(Object.entries(event).sort(([left], [right]) => (left < right ? -1 : 1))));
}

describe('the validator, for an event inserted without a library:', () => {
  it.each(readCases('validator'))('$name', async ({ set, unset = [], refused }) => {
    const event: Document = { ...outboxEvent({ aggregateType: 'note', operation: 'upsert', payload: {} }), ...set };
    for (const field of unset) delete event[field];
    const insert = () =>
      inTransaction(async (session) => {
        await db.collection('conformance_notes').insertOne({ _id: 'document' as never }, { session });
        await db.collection('outbox').insertOne(event, { session, ignoreUndefined: false });
      });
    if (refused === undefined) await insert();
    else expect(await refusalOf(insert)).toMatchObject({ code: refused });
    const count = refused === undefined ? 1 : 0;
    expect([await read('conformance_notes'), await readEvents()].map((found) => found.length)).toStrictEqual([
      count,
      count,
    ]);
  });
});

describe('a verb of a tracked collection:', () => {
  it.each(readCases('verbs'))('$name', async ({
    before,
    calls,
    together = false,
    abort = false,
    caught = false,
    after,
    events,
    refused,
    aggregateId,
    reads,
    index,
  }) => {
    if (index !== undefined) await db.collection('notes').createIndex(index.key as IndexSpecification, index);
    onTestFinished(async () => {
      if (index !== undefined) await db.collection('notes').dropIndex(index.name);
    });
    // The driver would replace an id of null with its own.
    if (before.length > 0) await db.command({ insert: 'notes', documents: before });
    const id = (document: Document) => String(document[aggregateId as string]);
    const fields = reads?.map((name) => [name, z.unknown().optional()]);
    const payload = fields === undefined ? z.unknown() : z.object(Object.fromEntries(fields));
    const definition = untyped('note', aggregateId === undefined ? documentId : id, payload);
    const notes = trackCollection(database.client, db, definition);
    const run = async (session?: ClientSession) => {
      for (const call of calls) await makeCall(notes, call, session);
    };
    const attempt = !together
      ? () => run()
      : () =>
          database.client.withSession(async (session) => {
            session.startTransaction();
            await run(session);
            await (abort ? session.abortTransaction() : session.commitTransaction());
          });
    if (caught) expect(await commitRegardless(run)).toMatchObject({ failed: true });
    else if (refused === undefined) await attempt();
    else expect(await refusalOf(attempt)).toMatchObject({ code: refused });
    expect(exactly((await read('notes')).sort(byId))).toBe(exactly([...after].sort(byId)));
    expect(byAggregate(await readEvents())).toStrictEqual(byAggregate(events));
  });
});

function byId(left: Document, right: Document): number {
  return String(left._id) < String(right._id) ? -1 : 1;
}

/** The events of each aggregate, in order. */
function byAggregate(events: readonly Document[]): Record<string, readonly string[]> {
  const grouped: Record<string, string[]> = {};
  for (const { operation, aggregateId, payload } of events) {
    grouped[aggregateId] = [...(grouped[aggregateId] ?? []), exactly({ operation, payload: payload ?? null })];
  }
  return grouped;
}

const optionNames = [
  'hint',
  'let',
  'upsert',
  'collation',
  'recordUnchanged',
  'ordered',
  'returnDocument',
  'projection',
  'sort',
];

async function makeCall(notes: TrackedCollection<unknown>, call: Document, session?: ClientSession): Promise<void> {
  const { filter, update, replacement, returns, result } = call;
  const options: Document = session === undefined ? {} : { session };
  for (const name of optionNames) if (call[name] !== undefined) options[name] = call[name];
  if (call.chunkSize !== undefined) options.chunkSize = Number(call.chunkSize);
  const asStored = { ...options, ...exactTypes };
  const expectFound = (found: Document | null) => expect(exactly(found)).toBe(exactly(returns));
  const expectResult = (counts: Document) => {
    if (result !== undefined)
      expect(counts).toMatchObject(Object.fromEntries(Object.entries(result).map(([name, n]) => [name, Number(n)])));
  };
  switch (call.verb) {
    case 'insertOne':
      await notes.insertOne(call.document, options);
      return;
    case 'insertMany':
      await notes.insertMany(call.documents, options);
      return;
    case 'updateOne':
      await notes.updateOne(filter, update, options);
      return;
    case 'updateMany':
      expectResult(await notes.updateMany(filter, update, options));
      return;
    case 'replaceOne':
      await notes.replaceOne(filter, replacement, options);
      return;
    case 'findOneAndUpdate':
      expectFound(await notes.findOneAndUpdate(filter, update, asStored));
      return;
    case 'findOneAndReplace':
      expectFound(await notes.findOneAndReplace(filter, replacement, asStored));
      return;
    case 'findOneAndDelete':
      expectFound(await notes.findOneAndDelete(filter, asStored));
      return;
    case 'deleteOne':
      await notes.deleteOne(filter, options);
      return;
    case 'deleteMany':
      expectResult(await notes.deleteMany(filter, options));
      return;
    case 'bulkWrite':
      expectResult(await notes.bulkWrite(call.operations, options));
      return;
    case 'aggregate':
      notes.aggregate(call.pipeline);
      return;
    case 'drop':
    case 'rename':
      notes[call.verb as 'drop'](call);
      return;
    default:
      throw new Error(`There is no verb ${call.verb}.`);
  }
}

describe('recording an event', () => {
  const begin: Record<SessionCase['session'], (session: ClientSession) => ClientSession> = {
    none: () => undefined as unknown as ClientSession,
    idle: (session) => session,
    transaction: (session) => {
      session.startTransaction();
      return session;
    },
    w1: (session) => {
      session.startTransaction({ writeConcern: { w: 1 } });
      return session;
    },
  };

  it.each(readCases('sessions'))('$name', async ({ session: state, refused }) => {
    await database.client.withSession(async (own) => {
      const session = begin[state](own);
      const record = () => recordEvent(session, db, untyped('note'), { operation: 'delete', aggregateId: 'a' });
      if (refused === undefined) {
        await record();
        await own.commitTransaction();
        expect(await readEvents()).toHaveLength(1);
      } else {
        expect((await refusalOf(record)).code).toBe(refused);
        if (own.inTransaction()) await own.abortTransaction();
        expect(await readEvents()).toHaveLength(0);
      }
    });
  });
});
