/** Updates of fields that the payload does not declare need no read, and nothing else does without. */
import { type Document, MongoClient, type UpdateFilter } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AggregateDefinition, defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

interface Note {
  readonly _id: string;
  readonly text?: string;
  readonly seen?: number;
  readonly count?: { readonly x: number };
  readonly list?: readonly number[];
  readonly old?: string;
}

const text = z.string().optional();
const plain = z.object({ text });
const withPayload = (payload: AggregateDefinition['payload'], more: Partial<AggregateDefinition> = {}) =>
  defineAggregate({
    type: 'note',
    collection: 'notes',
    id: documentId,
    payload,
    project: (_, id) => ({ nodes: [{ label: 'Note', key: { id } }], relationships: [] }),
    ...more,
  });

let database: TestDatabase;
let client: MongoClient;
let commands: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  client = new MongoClient(servers.mongodbUri, { monitorCommands: true });
  client.on('commandStarted', ({ commandName }) => commands.push(commandName));
});
beforeEach(async () => {
  for (const name of ['notes', 'outbox']) await database.db.collection(name).deleteMany({});
  await database.db.collection<Note>('notes').insertOne({ _id: 'a', text: 'one', seen: 1, list: [1] });
  commands = [];
});
afterAll(async () => {
  await client.close();
  await database.drop();
});

const track = (definition: AggregateDefinition) =>
  trackCollection<unknown, Note>(client, client.db(database.db.databaseName), definition);
const seen = { $set: { seen: 2 } };

describe('an update of a field that the payload does not declare', () => {
  it('is one command', async () => {
    const notes = track(withPayload(plain));
    expect(await notes.updateOne({ _id: 'a' }, seen)).toMatchObject({ modifiedCount: 1 });
    await notes.updateOne({ text: 'one' }, { $inc: { 'count.x': 1 }, $push: { list: 2 }, $unset: { old: '' } });
    await notes.updateOne({ _id: 'a' }, { $set: { 'list.$[x]': 3 } }, { arrayFilters: [{ x: 1 }] });
    await notes.findOneAndUpdate({ _id: 'a' }, { $rename: { seen: 'met' } });
    expect(commands).toStrictEqual(['update', 'update', 'update', 'findAndModify']);
    expect(await database.db.collection('outbox').countDocuments()).toBe(0);
  });

  it('is one command in a transaction for many documents', async () => {
    const notes = track(withPayload(plain));
    expect(await notes.updateMany({}, seen)).toMatchObject({ modifiedCount: 1 });
    await notes.bulkWrite([{ updateOne: { filter: { _id: 'a' }, update: { $set: { seen: 3 } } } }]);
    expect(commands).toStrictEqual(['update', 'commitTransaction', 'update', 'commitTransaction']);
  });

  it('is settled at once', async () => {
    const notes = track(withPayload(plain));
    await notes.settled(await notes.updateOne({ _id: 'a' }, seen), { timeoutMs: 100 });
  });

  it('needs no schema of zod where the aggregate names its fields', async () => {
    const loose = z.looseObject({});
    await track(withPayload(loose, { fields: ['text'] })).updateOne({ _id: 'a' }, seen);
    expect(commands).toStrictEqual(['update']);
    expect(() => withPayload(loose, { fields: ['text.x'] })).toThrow('names the path "text.x"');
  });
});

describe('the documents are read', () => {
  it.each<[why: string, payload: AggregateDefinition['payload']]>([
    ['a loose object', z.looseObject({ text })],
    ['a strict object', z.strictObject({ text, seen: z.unknown(), list: z.unknown(), _id: z.unknown() })],
    ['an object with a catch-all', z.object({ text }).catchall(z.unknown())],
    ['a check of the whole object', plain.refine(() => true)],
    ['a transformation', plain.transform((state) => state)],
    ['a step before the object', z.preprocess((state) => state, plain)],
    ['a union', z.union([plain, z.object({ seen: z.unknown() })])],
    ['an intersection', z.intersection(plain, z.object({ seen: z.unknown() }))],
    ['a schema that accepts anything', z.unknown()],
    ['another library', { '~standard': { version: 1, vendor: 'other', validate: (value) => ({ value }) } }],
  ])('if the schema is %s', async (_, payload) => {
    await track(withPayload(payload)).updateOne({ _id: 'a' }, seen);
    expect(commands.slice(0, 3)).toStrictEqual(['find', 'update', 'find']);
  });

  it.each<[why: string, update: Document | Document[], options: Document]>([
    ['a declared field', { $set: { seen: 2, text: 'two' } }, {}],
    ['a part of a declared field', { $set: { 'text.x': 2 } }, {}],
    ['a new name for a declared field', { $rename: { text: 'other' } }, {}],
    ['a declared field as a new name', { $rename: { seen: 'text' } }, {}],
    ['an upsert', seen, { upsert: true }],
    ['a pipeline', [seen], {}],
    ['a request for the event', seen, { recordUnchanged: true }],
    ['an order', seen, { sort: { _id: 1 } }],
    ['an unknown operator', { $wrong: { seen: 1 } }, {}],
    ['an update that is no plain object', { $set: new Map([['text', 2]]) }, {}],
  ])('if the update is %s', async (_, update, options) => {
    await track(withPayload(plain))
      .updateOne({ _id: 'a' }, update as UpdateFilter<Note>, options)
      .catch(() => undefined);
    expect(commands[0]).toBe('find');
  });

  it('if the aggregate has an id function of its own', async () => {
    const id = (document: Document) => String(document.seen);
    const notes = track(withPayload(plain, { id }));
    await expect(notes.updateOne({ _id: 'a' }, seen)).rejects.toMatchObject({ code: 'event-invalid' });
  });
});
