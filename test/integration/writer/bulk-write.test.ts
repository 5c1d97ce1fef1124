/** What the conformance tables do not see of bulk writes: results, round trips, errors. */
import { type AnyBulkWriteOperation, type Document, Int32, Long, MongoBulkWriteError, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

interface Note {
  readonly _id: string;
  readonly n?: number | Int32;
  readonly x?: number;
  readonly list?: readonly number[];
}

const note = defineAggregate({
  type: 'note',
  collection: 'notes',
  id: documentId,
  payload: z.looseObject({}),
  project: (_, id) => ({ nodes: [{ label: 'Note', key: { id } }], relationships: [] }),
});

let database: TestDatabase;
let notes: TrackedCollection<unknown, Note>;
beforeAll(async () => {
  database = await createTestDatabase();
  notes = trackCollection<unknown, Note>(database.client, database.db, note);
});
beforeEach(async () => {
  for (const name of ['notes', 'plain', 'outbox']) await database.db.collection(name).deleteMany({});
});
afterAll(() => database.drop());

/** A bulk write of every kind, in which some operations depend on earlier ones. */
const operations = (): AnyBulkWriteOperation<Note>[] => [
  { insertOne: { document: { _id: 'a', n: 1 } } },
  { updateMany: { filter: { n: 1 }, update: { $inc: { n: 1 } } } },
  { updateOne: { filter: { _id: 'b' }, update: { $set: { n: 5 } }, upsert: true } },
  { replaceOne: { filter: { n: 2 }, replacement: { n: 3 } } },
  { updateOne: { filter: { n: 9 }, update: { $setOnInsert: { _id: 'c' } }, upsert: true } },
  { updateOne: { filter: { _id: 'b' }, update: { $push: { list: 1 } } } },
  { updateOne: { filter: { _id: 'b' }, update: { $set: { 'list.$[x]': 2 } }, arrayFilters: [{ x: 1 }] } },
  { deleteOne: { filter: { n: 5 } } },
  { insertOne: { document: { _id: 'd', n: 1 } } },
  { deleteMany: { filter: { n: 3 } } },
];

describe("the result of a bulk write is the driver's own", () => {
  it('with the indexes of the operations', async () => {
    const result = await notes.bulkWrite(operations());
    const plain = await database.db.collection<Note>('plain').bulkWrite(operations());
    expect(result).toStrictEqual(plain);
    expect(result.insertedIds).toStrictEqual({ 0: 'a', 8: 'd' });
    expect(result.upsertedIds).toStrictEqual({ 2: 'b', 4: 'c' });
    expect(result.isOk()).toBe(true);
    expect(result.getUpsertedIdAt(1)).toStrictEqual({ index: 4, _id: 'c' });
    expect(await notes.find({}, { sort: { _id: 1 } }).toArray()).toStrictEqual(
      await database.db
        .collection('plain')
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    );
  });

  it('with ids of the types that the options ask for', async () => {
    const collection = trackCollection<unknown, Document>(database.client, database.db, note);
    const filter = { _id: Long.fromNumber(7) } as unknown as Document;
    const upsert = { updateOne: { filter, update: { $set: { n: 1 } }, upsert: true } };
    const result = await collection.bulkWrite([upsert], { useBigInt64: true, promoteValues: true });
    expect([7, 7n]).toContain(result.upsertedIds[0]);
  });

  it('of a client that reads raw bytes', async () => {
    const client = new MongoClient(servers.mongodbUri, { raw: true });
    onTestFinished(() => client.close());
    const collection = trackCollection<unknown, Note>(client, client.db(database.db.databaseName), note);
    expect(await collection.bulkWrite(operations())).toMatchObject({ insertedCount: 2, upsertedCount: 2 });
    expect(await database.db.collection('outbox').countDocuments()).toBe(2);
  });

  it('and settled takes it', async () => {
    const result = await notes.bulkWrite([{ insertOne: { document: { _id: 'a' } } }]);
    await expect(notes.settled(result, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'not-settled' });
  });
});

describe('an error of a bulk write', () => {
  it('names the index of the operation, and leaves nothing', async () => {
    const failing = [...operations(), { insertOne: { document: { _id: 'd' } } }];
    const error = await notes.bulkWrite(failing).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MongoBulkWriteError);
    expect([(error as MongoBulkWriteError).writeErrors].flat()[0]?.index).toBe(10);
    expect(await notes.countDocuments()).toBe(0);
    expect(await database.db.collection('outbox').countDocuments()).toBe(0);
  });

  it.each<[operations: unknown, message: string]>([
    [[], 'at least one operation'],
    [undefined, 'at least one operation'],
    [[{}], 'operation 0 must have exactly one field'],
    [[null], 'operation 0 must have exactly one field'],
    [[{ insertOne: { document: {} } }, { upsertOne: {} }], 'operation 1 must have exactly one field'],
    [[{ deleteOne: { filter: {} }, deleteMany: { filter: {} } }], 'operation 0 must have exactly one field'],
    [[{ insertOne: {} }], 'operation 0, insertOne, needs an object as its document'],
    [[{ deleteMany: {} }], 'operation 0, deleteMany, needs an object as its filter'],
    [[{ updateOne: { update: { $set: { x: 1 } } } }], 'operation 0, updateOne, needs an object as its filter'],
    [[{ deleteOne: { filter: 'a' } }], 'operation 0, deleteOne, needs an object as its filter'],
  ])('says what is wrong with %j', async (given, message) => {
    await expect(notes.bulkWrite(given as AnyBulkWriteOperation<Note>[])).rejects.toThrow(message);
  });

  it.each<[operation: unknown, message: string]>([
    [{ updateOne: { filter: {}, update: { x: 1 } } }, 'atomic operators'],
    [{ replaceOne: { filter: { _id: 'a' }, replacement: { $set: { x: 1 } } } }, 'atomic operators'],
    [{ updateMany: { filter: {}, update: { $wrong: { x: 1 } } } }, '$wrong'],
  ])('is that of the driver or the server for %j', async (operation, message) => {
    await expect(notes.bulkWrite([operation as AnyBulkWriteOperation<Note>])).rejects.toThrow(message);
  });

  it('is that of the driver for a session of another client', async () => {
    const other = new MongoClient(servers.mongodbUri);
    onTestFinished(() => other.close());
    await other.withSession((session) =>
      expect(notes.bulkWrite(operations(), { session })).rejects.toThrow('same MongoClient'),
    );
  });
});

describe('the commands of a bulk write', () => {
  async function commandsOf(given: readonly AnyBulkWriteOperation<Note>[]): Promise<readonly string[]> {
    const client = new MongoClient(servers.mongodbUri, { monitorCommands: true });
    onTestFinished(() => client.close());
    const commands: string[] = [];
    client.on('commandStarted', ({ commandName }) => {
      if (commandName !== 'endSessions') commands.push(commandName);
    });
    await trackCollection<unknown, Note>(client, client.db(database.db.databaseName), note).bulkWrite(given);
    return commands;
  }

  it('are as many for a thousand operations by id as for one', async () => {
    const update = (index: number) => ({
      updateOne: { filter: { _id: `${index}` }, update: { $set: { n: new Int32(1) } }, upsert: true },
    });
    const commands = ['find', 'update', 'find', 'insert', 'commitTransaction'];
    expect(await commandsOf([update(0)])).toStrictEqual(commands);
    expect(await commandsOf(Array.from({ length: 1_000 }, (_, index) => update(index)))).toStrictEqual(commands);
    expect(await database.db.collection('outbox').countDocuments()).toBe(1_000);
  });

  it('are two more for each operation without an id', async () => {
    const update = { updateMany: { filter: { n: 1 }, update: { $set: { x: 1 } } } };
    await database.db.collection<Note>('notes').insertOne({ _id: 'a', n: 1 });
    expect(await commandsOf([update])).toStrictEqual(['find', 'update', 'find', 'insert', 'commitTransaction']);
    expect(await commandsOf([{ updateMany: { filter: { n: 1 }, update: { $set: { x: 2 } } } }, update])).toStrictEqual([
      'find',
      'update',
      'find',
      'update',
      'find',
      'commitTransaction',
    ]);
  });
});
