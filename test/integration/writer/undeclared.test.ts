/** What an aggregate type does not declare, and the compiler could not know, never reaches the outbox. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { type AggregateDefinition, defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const thing: AggregateDefinition<{ kind: string }> = defineAggregate({
  type: 'thing',
  collection: 'things',
  id: documentId,
  payload: z.object({ kind: z.string() }),
  declares: { labels: { Thing: ['id'] } as Record<string, string[]>, types: [] },
  project: ({ kind }, id) => ({ nodes: [{ label: kind, key: { id } }], relationships: [] }),
});
const fault = { code: 'label-not-declared', message: expect.stringContaining('nodes[0].label: "thing"') };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);

it('a tracked write with an undeclared label is refused, and neither document nor event is written', async () => {
  const { client, db } = database;
  const things = trackCollection<unknown, { _id: string; kind: string }>(client, db, thing);
  await things.insertOne({ _id: 'declared', kind: 'Thing' });
  await expect(things.insertOne({ _id: 'inserted', kind: 'Other' })).rejects.toMatchObject(fault);
  await expect(things.updateOne({ _id: 'declared' }, { $set: { kind: 'Other' } })).rejects.toMatchObject(fault);
  expect(await things.find().toArray()).toStrictEqual([{ _id: 'declared', kind: 'Thing' }]);
  expect(await outbox().countDocuments()).toBe(1);
});

it('a transaction that recorded an undeclared label cannot be committed, even if the error is caught', async () => {
  const { client, db } = database;
  const before = await outbox().countDocuments();
  const write = client.withSession((session) =>
    session.withTransaction(async () => {
      await db.collection<{ _id: string }>('others').insertOne({ _id: 'beside' }, { session });
      const change = { operation: 'upsert', aggregateId: 'x', payload: { kind: 'Other' } } as const;
      await expect(recordEvent(session, db, thing, change)).rejects.toMatchObject(fault);
    }),
  );
  await expect(write).rejects.toThrow('The transaction was aborted');
  expect(await db.collection('others').countDocuments()).toBe(0);
  expect(await outbox().countDocuments()).toBe(before);
});
