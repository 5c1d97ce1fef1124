/**
 * Records documents as they are while writers change them: the event with the greatest position
 * must always contain the newest state.
 */
import { type Document, Int32, ObjectId, UUID } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listDocumentIds } from '../../../cli/documents/mongodb-documents.ts';
import { recordCurrentStates } from '../../../cli/documents/mongodb-record-current-states.ts';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
const newestEvent = (aggregateId: string) =>
  outbox().findOne({ aggregateId }, { sort: { position: -1 }, ...exactTypes });
const insertEvent = async (fields: object = {}) => {
  const events = trackCollection(database.client, database.db, memoryEvent);
  const _id = new ObjectId();
  await events.insertOne({ _id, user_id: 'ada', date: '12-10', ...fields });
  return _id;
};
const record = (ids: readonly unknown[]) => recordCurrentStates(database.client, database.db, memoryEvent, ids);

it('the newest event has the last state, even while writers change and delete the document', async () => {
  const { client, db } = database;
  const events = trackCollection(client, db, memoryEvent);
  const ids = await Promise.all(Array.from({ length: 12 }, () => insertEvent()));
  let recorded = 0;
  let writing = true;
  const recordAgain = async () => {
    while (writing) recorded += (await record(ids)).recorded;
  };
  const write = async (_id: ObjectId, last: 'update' | 'delete') => {
    for (let desc = 1; desc <= 25; desc += 1) await events.updateOne({ _id }, { $set: { desc: `${desc}` } });
    if (last === 'delete') await events.deleteOne({ _id });
  };
  const recording = [recordAgain(), recordAgain()];
  await Promise.all(ids.map((id, index) => write(id, index % 3 === 0 ? 'delete' : 'update')));
  writing = false;
  await Promise.all(recording);

  for (const [index, id] of ids.entries()) {
    const newest = await newestEvent(id.toHexString());
    if (index % 3 === 0) expect(newest).toMatchObject({ operation: 'delete' });
    else expect(newest).toMatchObject({ operation: 'upsert', payload: { desc: '25' } });
  }
  expect(recorded).toBeGreaterThan(ids.length);
});

it('leaves the document unchanged, byte for byte, and records what is stored', async () => {
  const id = await insertEvent({ year: new Int32(2_024), embedding: [0.5, 1] });
  const read = () => database.db.collection('memory_events').findOne({ _id: id }, { ...exactTypes, raw: true });
  const before = await read();
  expect(await record([id])).toStrictEqual({ recorded: 1, unprojectable: 0, unrecordable: [] });
  expect(await read()).toStrictEqual(before);
  expect((await newestEvent(id.toHexString()))?.payload).toMatchObject({ year: new Int32(2_024) });
});

it('passes a validator that does not know the field that is added temporarily', async () => {
  const strict = defineAggregate({ ...memoryEvent, type: 'strict', collection: 'strict' });
  const $jsonSchema = { additionalProperties: false, properties: { _id: {}, user_id: {}, date: {} } };
  await database.db.createCollection('strict', { validator: { $jsonSchema } });
  const _id = new ObjectId();
  await database.db.collection('strict').insertOne({ _id, user_id: 'ada', date: '12-10' });
  const recorded = await recordCurrentStates(database.client, database.db, strict, [_id]);
  expect(recorded.recorded).toBe(1);
});

it('records documents that cannot be projected, and reports those that cannot be events', async () => {
  const unprojectable = new ObjectId();
  const collection = database.db.collection<{ _id: unknown }>('memory_events');
  const unrecordable = 'x'.repeat(513);
  await collection.insertMany([{ _id: unprojectable }, { _id: unrecordable }]);
  const good = await insertEvent();
  const recorded = await record([good, unprojectable, unrecordable, new ObjectId()]);
  expect(recorded).toMatchObject({ recorded: 2, unprojectable: 1, unrecordable: [{ id: unrecordable }] });
  expect(await newestEvent(unprojectable.toHexString())).toMatchObject({ status: 'pending', operation: 'upsert' });
});

it('lists documents in chunks ordered by id, of any type, even if the last of a chunk is deleted', async () => {
  const mixed = defineAggregate({ ...memoryEvent, type: 'mixed', collection: 'mixed', id: documentId });
  const collection = database.db.collection<{ _id: unknown }>(mixed.collection);
  const ids = [new ObjectId(), 'text', 'texts', new UUID(), new Int32(7), 7.5, { a: 1 }];
  await collection.insertMany(ids.map((_id) => ({ _id })));
  const listed: unknown[] = [];
  let after: { id: unknown } | null = null;
  for (;;) {
    const chunk: readonly unknown[] = await listDocumentIds(database.db.collection('mixed'), after, 2);
    if (chunk.length === 0) break;
    listed.push(...chunk);
    after = { id: chunk.at(-1) };
    if (listed.length === 4) await collection.deleteOne({ _id: { $eq: chunk.at(-1) } } as Document);
  }
  expect(new Set(listed.map(String))).toStrictEqual(new Set(ids.map(String)));
  expect(listed).toHaveLength(ids.length);
});
