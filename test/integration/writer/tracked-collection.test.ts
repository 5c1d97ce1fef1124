import { Binary, type Document, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let events: TrackedCollection<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  events = trackCollection(database.client, database.db, memoryEvent) as unknown as TrackedCollection<unknown>;
});
afterAll(() => database.drop());

const birthday = (fields: Document = {}): Document & { _id: ObjectId } => ({
  _id: new ObjectId(),
  user_id: new ObjectId().toHexString(),
  date: '12-10',
  ...fields,
});
/** The operations recorded for a document, with the dates of their payloads, in order. */
async function recorded(id: ObjectId): Promise<readonly string[]> {
  const found = await database.db
    .collection(outboxCollection)
    .find({ aggregateId: String(id) })
    .sort({ position: 1 })
    .toArray();
  return found.map((event) => (event.operation === 'upsert' ? `upsert ${event.payload.date}` : 'delete'));
}

describe('a tracked collection', () => {
  it('records the full state after each write, and the deletion', async () => {
    const document = birthday();
    await events.insertOne(document);
    await events.updateOne({ _id: document._id }, { $set: { date: '12-11' } });
    await events.replaceOne({ _id: document._id }, { user_id: 'u', date: '12-12' });
    expect(
      await events.findOneAndUpdate({ _id: document._id }, { $set: { date: '12-13' } }, { returnDocument: 'after' }),
    ).toMatchObject({ date: '12-13' });
    expect(await events.deleteOne({ _id: document._id })).toMatchObject({ deletedCount: 1 });
    expect(await recorded(document._id)).toStrictEqual([
      'upsert 12-10',
      'upsert 12-11',
      'upsert 12-12',
      'upsert 12-13',
      'delete',
    ]);
  });

  it('records one event for each document of insertMany, updateMany and deleteMany', async () => {
    const user_id = new ObjectId().toHexString();
    const documents = [birthday({ user_id }), birthday({ user_id }), birthday({ user_id, date: '01-01' })];
    await events.insertMany(documents);
    expect(await events.updateMany({ user_id }, { $set: { date: '01-01' } })).toMatchObject({
      matchedCount: 3,
      modifiedCount: 2,
    });
    expect(await events.deleteMany({ user_id })).toMatchObject({ deletedCount: 3 });
    expect(await Promise.all(documents.map((document) => recorded(document._id)))).toStrictEqual([
      ['upsert 12-10', 'upsert 01-01', 'delete'],
      ['upsert 12-10', 'upsert 01-01', 'delete'],
      ['upsert 01-01', 'delete'],
    ]);
  });

  it('records nothing if nothing changed or nothing matched', async () => {
    const document = birthday();
    await events.insertOne(document);
    await events.updateOne({ _id: document._id }, { $set: { date: '12-10' } });
    await events.updateOne({ _id: new ObjectId() }, { $set: { date: '12-10' } });
    expect(await events.deleteOne({ _id: new ObjectId() })).toMatchObject({ deletedCount: 0 });
    expect(await recorded(document._id)).toStrictEqual(['upsert 12-10']);
  });

  it('records nothing if only a field changed that the payload does not declare, unless it is asked to', async () => {
    const document = birthday({ seen: 1 });
    await events.insertOne(document);
    const one = { _id: document._id };
    expect(await events.updateOne(one, { $set: { seen: 2 } })).toMatchObject({ modifiedCount: 1 });
    await events.replaceOne(one, { user_id: document.user_id, date: '12-10', seen: 3 });
    await events.findOneAndUpdate(one, { $unset: { seen: '' } });
    await events.updateMany(one, { $set: { seen: 4 } });
    expect(await recorded(document._id)).toStrictEqual(['upsert 12-10']);
    await events.updateOne(one, { $set: { seen: 5 } }, { recordUnchanged: true });
    await events.updateOne(one, { $set: { seen: 6, date: '12-11' } });
    expect(await recorded(document._id)).toStrictEqual(['upsert 12-10', 'upsert 12-10', 'upsert 12-11']);
  });

  it.each(['updateOne', 'updateMany', 'findOneAndUpdate'] as const)('records what %s upserts', async (verb) => {
    const _id = new ObjectId();
    await events[verb]({ _id }, { $set: { user_id: 'u', date: '03-03' } }, { upsert: true });
    expect(await recorded(_id)).toStrictEqual(['upsert 03-03']);
  });

  it('keeps the stored types in the payload', async () => {
    const document = birthday({ year: Long.fromString('9007199254740993'), embedding: [1.5, 2] });
    await events.insertOne(document);
    const [event] = await database.db
      .collection(outboxCollection)
      .find({ aggregateId: String(document._id) }, { promoteValues: false, promoteLongs: false })
      .toArray();
    expect(event?.payload.year._bsontype).toBe('Long');
    expect(String(event?.payload.year)).toBe('9007199254740993');
  });

  it.each<[what: string, fields: Document, options: { ignoreUndefined?: boolean }]>([
    ['numbers of every type', { int: new Int32(1), long: Long.fromNumber(1), double: new Double(1) }, {}],
    ['dates, bytes and expressions', { at: new Date(0), bytes: new Binary(Buffer.from([1])), text: /a/i }, {}],
    ['an undefined field that is stored as null', { left: undefined }, {}],
    [
      'an undefined field that is left out',
      { left: undefined, nested: { left: undefined } },
      { ignoreUndefined: true },
    ],
    ['an empty timestamp that the server fills in', { stamp: new Timestamp({ t: 0, i: 0 }) }, {}],
    ['a nested empty timestamp, which stays empty', { nested: { stamp: new Timestamp({ t: 0, i: 0 }) } }, {}],
    ['an object that defines how it is stored', { money: { toBSON: () => ({ cents: 5 }) } }, {}],
  ])('records exactly what an insert stores: %s', async (_, fields, options) => {
    const [one, many] = [birthday(fields), birthday(fields)];
    await events.insertOne(one, options);
    await events.insertMany([many], options);
    for (const { _id } of [one, many]) {
      const stored = await database.db.collection(memoryEvent.collection).findOne({ _id }, exactTypes);
      const event = await database.db.collection(outboxCollection).findOne({ aggregateId: String(_id) }, exactTypes);
      expect(event?.payload).toStrictEqual(stored);
    }
  });

  it("joins the caller's transaction: an abort leaves neither document nor event", async () => {
    const document = birthday();
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await events.insertOne(document, { session });
      await session.abortTransaction();
    });
    expect(await events.countDocuments({ _id: document._id })).toBe(0);
    expect(await recorded(document._id)).toStrictEqual([]);
  });

  it.each(['02-30', '2026-05-11', '5-1'])('refuses the date %s with its path, and writes nothing', async (date) => {
    const document = birthday({ date });
    await expect(events.insertOne(document)).rejects.toMatchObject({
      code: 'payload-invalid',
      message: expect.stringContaining('payload.date'),
    });
    expect(await events.countDocuments({ _id: document._id })).toBe(0);
  });

  it('gives two concurrent updates of one document positions in the order of their states', async () => {
    const document = birthday();
    await events.insertOne(document);
    await Promise.all(
      ['01-01', '01-02', '01-03'].map((date) => events.updateOne({ _id: document._id }, { $set: { date } })),
    );
    const last = await events.findOne({ _id: document._id });
    expect((await recorded(document._id)).at(-1)).toBe(`upsert ${last?.date}`);
  });

  it.each(['drop', 'rename'] as const)('refuses %s and says what to use', (verb) => {
    expect(() => events[verb]()).toThrow(/not possible on a tracked collection.*(use|declare)/);
  });

  it.each(['$merge', '$out'])('refuses a pipeline with %s', (stage) => {
    expect(() => events.aggregate([{ $match: {} }, { [stage]: 'elsewhere' }])).toThrow(stage);
  });
});

describe('recording an event', () => {
  const change = { operation: 'delete', aggregateId: 'a' } as const;

  it('is refused without a running transaction', async () => {
    await database.client.withSession(async (session) => {
      await expect(recordEvent(session, database.db, memoryEvent, change)).rejects.toThrow(
        'in the transaction that writes its document',
      );
    });
  });

  it('is refused in a transaction that could be rolled back after its commit', async () => {
    await database.client.withSession(async (session) => {
      session.startTransaction({ writeConcern: { w: 1 } });
      await expect(recordEvent(session, database.db, memoryEvent, change)).rejects.toThrow('use "majority"');
      await session.abortTransaction();
    });
  });
});
