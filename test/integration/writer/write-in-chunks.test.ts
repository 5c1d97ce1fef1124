/** Writes of more documents than one transaction takes. */
import { type Document, Int32 } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAggregate, documentId, storedNumber } from '../../../exports/outgraph.ts';
import { type ChunkOptions, UnfinishedWrite } from '../../../exports/writer.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { maxDocuments } from '../../../lib/writer/write-many.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

interface Note extends Document {
  readonly _id: number;
}

const note = defineAggregate({
  type: 'note',
  collection: 'notes',
  id: documentId,
  payload: z.object({ n: storedNumber.optional() }),
  project: (_, id) => ({ nodes: [{ label: 'Note', key: { id } }], relationships: [] }),
});

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

const seed = (count: number, fields: Document = { n: 0 }) =>
  database.db
    .collection<Note>('notes')
    .insertMany(Array.from({ length: count }, (_, _id) => ({ _id, ...fields }) as Note));
const numbers = async () => (await notes.find({}, { sort: { _id: 1 } }).toArray()).map(({ n }) => n);
const events = () => database.db.collection('outbox').countDocuments();

describe('a write in chunks', () => {
  it('updates each document once, while others change what matches', async () => {
    await seed(40);
    const meanwhile = async () => {
      await notes.updateOne({ _id: 39 }, { $set: { kept: true } });
      await notes.deleteOne({ _id: 20 });
      await notes.insertOne({ _id: -1, n: 0 });
    };
    const update = notes.updateMany({ kept: { $ne: true } }, { $inc: { n: 1 } }, { chunkSize: 1 });
    await Promise.all([update, meanwhile()]);
    const { chunks, matchedCount, modifiedCount } = await update;
    expect(modifiedCount).toBe(matchedCount);
    expect(chunks).toBe(matchedCount);
    const after = await numbers();
    expect(after.filter((n) => n > 1)).toStrictEqual([]);
    expect(after.filter((n) => n === 1).length).toBeGreaterThan(30);
  });

  it('says what it committed before an error, and can be continued', async () => {
    await seed(5);
    await database.db.collection<Note>('notes').updateOne({ _id: 3 }, { $set: { n: 'text' } });
    const increase = { $inc: { n: 1 } };
    const error = await notes.updateMany({}, increase, { chunkSize: 2 }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnfinishedWrite);
    const { committed, lastId, code, message, cause } = error as UnfinishedWrite;
    expect({ code, committed, lastId }).toStrictEqual({
      code: 'unfinished',
      committed: { chunks: 1, matchedCount: 2, modifiedCount: 2, deletedCount: 0 },
      lastId: new Int32(1),
    });
    expect(message).toContain('chunk 2 failed, after 1 chunks with 2 documents were committed');
    expect(String(cause)).toContain('$inc');
    expect(await numbers()).toStrictEqual([1, 1, 0, 'text', 0]);
    await notes.updateOne({ _id: 3 }, { $set: { n: 0 } });
    const rest = { _id: { $gt: lastId as number } };
    expect(await notes.updateMany(rest, increase, { chunkSize: 2 })).toMatchObject({ chunks: 2, modifiedCount: 3 });
    expect(await numbers()).toStrictEqual([1, 1, 1, 1, 1]);
  });

  it('has a result for settled', async () => {
    await seed(3);
    const result = await notes.deleteMany({}, { chunkSize: 2 });
    expect(result).toStrictEqual({ acknowledged: true, deletedCount: 3, chunks: 2 });
    await expect(notes.settled(result, { timeoutMs: 50 })).rejects.toThrow('3 events were not applied');
  });

  it('runs its transactions in a session that has none', async () => {
    await seed(3);
    await database.client.withSession(async (session) => {
      expect(await notes.deleteMany({}, { chunkSize: 2, session })).toMatchObject({ chunks: 2 });
    });
    expect(await events()).toBe(3);
  });

  it.each([0, -1, 1.5, Number.NaN, 10_001, '5', null])('refuses the chunk size %s', async (chunkSize) => {
    await seed(1);
    const options = { chunkSize } as unknown as ChunkOptions;
    await expect(notes.updateMany({}, { $set: { n: 1 } }, options)).rejects.toThrow('a whole number from 1 to 10000');
    await expect(notes.deleteMany({}, options)).rejects.toThrow('a whole number from 1 to 10000');
  });

  it.each([undefined, null, 'a'])('refuses the filter %s', async (filter) => {
    await seed(1);
    const missing = filter as unknown as Document;
    await expect(notes.deleteMany(missing, { chunkSize: 5 })).rejects.toThrow('filter must be an object');
    await expect(notes.deleteMany(missing)).rejects.toThrow('filter must be an object');
    await expect(notes.findOneAndDelete(missing)).rejects.toThrow('filter must be an object');
    expect(await notes.countDocuments()).toBe(1);
  });
});

describe('a write of more documents than one transaction takes', () => {
  it('is refused before it writes, and says what to do', { timeout: 120_000 }, async () => {
    await seed(maxDocuments + 1);
    for (const write of [() => notes.updateMany({}, { $set: { n: 1 } }), () => notes.deleteMany({})])
      await expect(write()).rejects.toMatchObject({
        code: 'too-many-documents',
        message: expect.stringMatching(/more than 20000 documents match.*Nothing was committed\. Set chunkSize/),
      });
    await expect(notes.bulkWrite([{ updateMany: { filter: {}, update: { $set: { n: 1 } } } }])).rejects.toMatchObject({
      code: 'too-many-documents',
    });
    expect(await notes.countDocuments({ n: 1 })).toBe(0);
    expect(await events()).toBe(0);
  });
});
