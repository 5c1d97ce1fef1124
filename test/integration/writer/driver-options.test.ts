/** With any options of the driver, a tracked collection records what is stored, or refuses. */
import {
  Binary,
  type BSONSerializeOptions,
  type Document,
  Double,
  Int32,
  Long,
  MongoClient,
  type MongoClientOptions,
  ObjectId,
  UUID,
} from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const note = defineAggregate({
  type: 'note',
  collection: 'notes',
  id: documentId,
  payload: z.looseObject({ words: z.array(z.string()).optional() }),
  project: (_, id) => ({ nodes: [{ label: 'Note', key: { id } }], relationships: [] }),
});
const seat = defineAggregate({ ...note, type: 'seat', id: (document: Document) => String(document.slot) });

/** A document with an id of any type. */
interface Note extends Document {
  readonly _id?: string | number | Int32 | Long | Double | Binary | ObjectId | Map<string, unknown>;
}

let database: TestDatabase;
let notes: TrackedCollection<unknown, Note>;
beforeAll(async () => {
  database = await createTestDatabase();
  notes = trackCollection<unknown, Note>(database.client, database.db, note);
});
beforeEach(async () => {
  for (const name of ['notes', 'outbox']) await database.db.collection(name).deleteMany({});
});
afterAll(() => database.drop());

const stored = () => database.db.collection<Document>('notes').find({}, exactTypes).sort({ _id: 1 }).toArray();
const events = () => database.db.collection<Document>('outbox').find({}, exactTypes).sort({ position: 1 }).toArray();
const recorded = async () =>
  (await events()).map(({ operation, aggregateId }) => `${operation as string} ${aggregateId as string}`);

/** The collection of a client with these options. */
function withClient(options: MongoClientOptions, definition: typeof note = note): TrackedCollection<unknown, Note> {
  const client = new MongoClient(servers.mongodbUri, options);
  onTestFinished(() => client.close());
  return trackCollection<unknown, Note>(client, client.db(database.db.databaseName), definition);
}

/** Calls each verb once. The collection and the graph are empty afterwards. */
async function useEachVerb(collection: TrackedCollection<unknown, Note>): Promise<void> {
  const id = new UUID();
  await collection.insertOne({ _id: 'a', n: Long.fromNumber(1) });
  await collection.insertMany([{ _id: 'b' }]);
  await collection.updateOne({ _id: 'a' }, { $set: { x: 1 } });
  await collection.updateOne({ _id: id }, { $set: { x: 1 } }, { upsert: true });
  await collection.updateMany({}, { $set: { x: 2 } });
  await collection.replaceOne({ _id: 'a' }, { n: new Int32(2) });
  await collection.findOneAndUpdate({ _id: 'a' }, { $set: { x: 3 } });
  await collection.findOneAndUpdate({ _id: new Binary(id.buffer, 4) }, { $set: { x: 3 } });
  await collection.deleteOne({ _id: id });
  await collection.findOneAndUpdate({ _id: id }, { $set: { x: 4 } }, { upsert: true, returnDocument: 'after' });
  await collection.deleteMany({});
  expect(await recorded()).toStrictEqual(
    [
      ['upsert a', 'upsert b', 'upsert a', `upsert ${id}`],
      ['upsert a', 'upsert b', `upsert ${id}`],
      ['upsert a', 'upsert a', `upsert ${id}`, `delete ${id}`, `upsert ${id}`],
      ['delete a', 'delete b', `delete ${id}`],
    ].flat(),
  );
}

describe('a tracked collection records every change', () => {
  it.each<[options: MongoClientOptions]>([
    [{}],
    [{ readPreference: 'secondaryPreferred' }],
    [{ readPreference: 'nearest', readConcern: { level: 'local' }, writeConcern: { w: 1 } }],
    [{ forceServerObjectId: true }],
    [{ useBigInt64: true }],
    [{ raw: true }],
    [{ promoteValues: false }],
    [{ promoteLongs: false }],
    [{ promoteBuffers: true }],
    [{ bsonRegExp: true, ignoreUndefined: true, serializeFunctions: true, enableUtf8Validation: false }],
  ])('with the client options %o', async (options) => {
    await useEachVerb(withClient(options));
  });

  it("in a caller's transaction of a client that reads from secondaries", async () => {
    const client = new MongoClient(servers.mongodbUri, { readPreference: 'secondaryPreferred' });
    onTestFinished(() => client.close());
    const collection = trackCollection<unknown, Note>(client, client.db(database.db.databaseName), note);
    await collection.insertOne({ _id: 'a' });
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await collection.updateOne({ _id: 'a' }, { $set: { x: 1 } }, { session });
        await collection.deleteMany({}, { session });
      }),
    );
    expect(await recorded()).toStrictEqual(['upsert a', 'upsert a', 'delete a']);
  });

  it.each<[where: string, insert: () => Promise<unknown>]>([
    ['insertOne', () => notes.insertOne({ x: 1 }, { forceServerObjectId: true })],
    ['insertMany', () => notes.insertMany([{ x: 1 }], { forceServerObjectId: true })],
    ['the client', () => withClient({ forceServerObjectId: true }).insertOne({ x: 1 })],
  ])('even if forceServerObjectId of %s would hide the id from the library', async (_, insert) => {
    await insert();
    const [document] = await stored();
    expect((await events()).map(({ payload }) => payload)).toStrictEqual([document]);
  });

  it("and creates ids with the client's pkFactory", async () => {
    let made = 0;
    const collection = withClient({ pkFactory: { createPk: () => `id ${++made}` as unknown as ObjectId } });
    const one = await collection.insertOne({});
    const many = await collection.insertMany([{}, {}]);
    expect([one.insertedId, ...Object.values(many.insertedIds)]).toStrictEqual(['id 1', 'id 2', 'id 3']);
    expect(await recorded()).toStrictEqual(['upsert id 1', 'upsert id 2', 'upsert id 3']);
  });

  it('of the documents that match according to ignoreUndefined', async () => {
    await notes.insertMany([{ _id: 'a' }, { _id: 'b', x: 1 }]);
    await notes.deleteMany({ x: undefined }, { ignoreUndefined: false });
    await notes.deleteMany({ x: undefined }, { ignoreUndefined: true });
    expect((await recorded()).slice(2)).toStrictEqual(['delete a', 'delete b']);
  });

  it('of the first document in an order, even if the server cannot sort updates', async () => {
    await notes.insertMany([
      { _id: 'a', n: 1 },
      { _id: 'b', n: 2 },
    ]);
    await notes.updateOne({}, { $set: { x: 1 } }, { sort: { n: -1 } });
    await notes.replaceOne({}, { n: 3 }, { sort: { n: -1 } });
    await notes.findOneAndUpdate({}, { $set: { x: 1 } }, { sort: { n: -1 }, upsert: true });
    expect((await recorded()).slice(2)).toStrictEqual(['upsert b', 'upsert b', 'upsert b']);
  });
});

describe('a tracked collection answers as the driver does', () => {
  it.each<[options: BSONSerializeOptions]>([
    [{}],
    [{ useBigInt64: true }],
    [{ promoteLongs: false }],
    [{ promoteBuffers: true }],
  ])('with %o', async (options) => {
    const driver = database.client.db().collection<Note>(`plain_${new ObjectId()}`);
    onTestFinished(() => void driver.drop());
    const ids = [Long.fromNumber(7), new Int32(8), new Double(9), new UUID(), new ObjectId(), 'text'];
    const upsert = { ...options, upsert: true } as const;
    for (const _id of ids) {
      const update = { $set: { n: Long.fromNumber(1), bytes: new Binary(Buffer.from([1])), list: [new Int32(1)] } };
      expect(await notes.updateOne({ _id }, update, upsert)).toStrictEqual(
        await driver.updateOne({ _id }, update, upsert),
      );
      for (const returnDocument of ['before', 'after'] as const) {
        const given = { ...upsert, returnDocument };
        expect(await notes.findOneAndUpdate({ _id }, { $set: { returnDocument } }, given)).toStrictEqual(
          await driver.findOneAndUpdate({ _id }, { $set: { returnDocument } }, given),
        );
      }
      await Promise.all([notes.deleteOne({ _id }), driver.deleteOne({ _id })]);
      const again = { ...upsert, returnDocument: 'after' } as const;
      expect(await notes.findOneAndUpdate({ _id }, update, again)).toStrictEqual(
        await driver.findOneAndUpdate({ _id }, update, again),
      );
    }
  });

  it('for countDocuments in a transaction', async () => {
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await notes.insertOne({ _id: 'a' }, { session });
      expect(await notes.countDocuments({}, { session })).toBe(1);
      expect(await notes.countDocuments({})).toBe(0);
      await session.abortTransaction();
    });
  });
});

describe('a date beyond the range of JavaScript', () => {
  /** The last date in JavaScript. An update with a pipeline adds to it and exceeds the range. */
  const last = new Date(8_640_000_000_000_000);
  const later = (by: number) => [{ $set: { at: { $add: ['$at', by] } } }];

  it('is refused instead of recorded as 1970, and nothing is written', async () => {
    await notes.insertOne({ _id: 'a', at: last });
    for (const verb of ['updateOne', 'updateMany', 'findOneAndUpdate'] as const)
      await expect(notes[verb]({}, later(1))).rejects.toMatchObject({
        code: 'event-invalid',
        message: expect.stringContaining('payload.at is a date that JavaScript cannot hold'),
      });
    expect(await stored()).toStrictEqual([{ _id: 'a', at: last }]);
    expect(await recorded()).toStrictEqual(['upsert a']);
  });

  it('is not read as another date', async () => {
    await database.db.collection<Note>('notes').insertOne({ _id: 'a', at: last });
    await database.db.collection<Document>('notes').updateOne({}, later(1));
    await expect(notes.updateOne({}, later(1))).rejects.toMatchObject({ code: 'event-invalid' });
    await notes.updateOne({}, { $unset: { at: '' } });
    expect(await recorded()).toStrictEqual(['upsert a']);
  });

  it.each([
    ['list', { list: [{ at: new Date(Number.NaN) }] }, 'payload.list[0].at'],
  ] as const)('is refused in a %s of a custom payload', async (_, payload, at) => {
    await expect(
      database.client.withSession((session) =>
        session.withTransaction(() =>
          recordEvent(session, database.db, note, { operation: 'upsert', aggregateId: 'a', payload }),
        ),
      ),
    ).rejects.toMatchObject({ code: 'event-invalid', message: expect.stringContaining(at) });
  });
});

describe('a write that is refused', () => {
  it('cannot be committed, even if the caller catches the error', async () => {
    await notes.insertOne({ _id: 'a' });
    await expect(
      database.client.withSession((session) =>
        session.withTransaction(async () => {
          await notes.updateOne({}, { $set: { words: 5 } }, { session }).catch(() => undefined);
          await database.db.collection<Note>('notes').insertOne({ _id: 'b' }, { session });
        }),
      ),
    ).rejects.toThrow(/transaction was aborted.*payload\.words/);
    expect(await stored()).toStrictEqual([{ _id: 'a' }]);
    expect(await recorded()).toStrictEqual(['upsert a']);
  });

  it('leaves the session usable for the next transaction', async () => {
    await database.client.withSession(async (session) => {
      const insert = (document: Document) => session.withTransaction(() => notes.insertOne(document, { session }));
      await expect(insert({ _id: 'a', words: 5 })).rejects.toMatchObject({ code: 'payload-invalid' });
      await insert({ _id: 'b' });
      session.startTransaction();
      await expect(notes.updateOne({}, { $set: { words: 5 } }, { session })).rejects.toThrow('payload.words');
      await expect(session.commitTransaction()).rejects.toThrow('transaction was aborted');
      await insert({ _id: 'c' });
    });
    expect(await recorded()).toStrictEqual(['upsert b', 'upsert c']);
  });

  it('is detected before the document is written', async () => {
    await expect(notes.insertMany([{ _id: 'a' }, { _id: 'b', words: 5 }])).rejects.toThrow('payload.words');
    await database.client.withSession(async (session) => {
      session.startTransaction({ writeConcern: { w: 1 } });
      await expect(notes.insertOne({ _id: 'c' }, { session })).rejects.toMatchObject({ code: 'write-concern' });
      await session.commitTransaction();
    });
    expect(await stored()).toStrictEqual([]);
  });

  it('leaves nothing if a written document cannot be read by its id', async () => {
    const id = new Map<string, unknown>([
      ['b', 1],
      ['1', 2],
    ]);
    const collection = trackCollection<unknown, Note>(database.client, database.db, seat);
    await database.db.collection<Note>('notes').insertOne({ _id: id, slot: 'x' });
    await expect(collection.updateMany({}, { $set: { x: 1 } })).rejects.toMatchObject({ code: 'untracked' });
    await expect(collection.deleteMany({})).rejects.toMatchObject({ code: 'untracked' });
    await expect(collection.deleteOne({})).rejects.toMatchObject({ code: 'untracked' });
    expect(await stored()).toHaveLength(1);
    expect(await recorded()).toStrictEqual([]);
  });

  it('leaves nothing if aggregate ids move between documents of different chunks', async () => {
    const collection = trackCollection<unknown, Note>(database.client, database.db, seat);
    await collection.insertMany(Array.from({ length: 600 }, (_, slot) => ({ _id: slot, slot })));
    const before = await recorded();
    await expect(collection.updateMany({}, { $inc: { slot: 1 } })).rejects.toMatchObject({ code: 'event-invalid' });
    expect(await recorded()).toStrictEqual(before);
    expect((await stored())[0]).toMatchObject({ slot: new Int32(0) });
  });
});
