/**
 * Compares a writer's transaction of document and event with the same transaction of the document
 * alone, and an update that no event follows with the driver's own.
 */
import { type ClientSession, type Document, ObjectId } from 'mongodb';
import pMap from 'p-map';
import { z } from 'zod';
import { defineAggregate, documentId } from '../lib/projection/define-aggregate.ts';
import { inTransaction } from '../lib/writer/in-transaction.ts';
import { recordEvent } from '../lib/writer/record-event.ts';
import { trackCollection } from '../lib/writer/tracked-collection.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { compare, type Rate } from './compare.ts';
import { againstFirst, type Benchmark } from './figure.ts';

const writers = 16;
const transactions = 640;
const updates = 4_000;

const person = defineAggregate({
  type: 'bench-person',
  collection: 'people',
  id: documentId,
  payload: z.object({ name: z.string(), city: z.string() }),
  project: ({ name, city }, id) => ({
    nodes: [{ label: 'BenchPerson', key: { id }, properties: { name } }],
    relationships: [
      { type: 'LIVES_IN', from: { label: 'BenchPerson', key: { id } }, to: { label: 'BenchCity', key: { id: city } } },
    ],
  }),
});

export const writerBenchmark: Benchmark = {
  name: 'writer',
  needs: ['mongodb'],
  run: (servers) =>
    BenchOutbox.with(servers, async ({ client, db }) => {
      const people = db.collection<Document>(person.collection);
      const tracked = trackCollection(client, db, person);
      const others = db.collection<Document>('others');
      await db.createCollection(person.collection);
      await db.createCollection('others');
      const create = () => ({ _id: new ObjectId(), name: 'Ada', city: 'London' });
      const write = async (one: (session: ClientSession) => Promise<unknown>) => {
        const all = Array.from({ length: transactions });
        await pMap(all, () => inTransaction(client, undefined, one), { concurrency: writers });
        return transactions;
      };
      const result = await compare(
        [
          { name: 'document alone', run: () => write((session) => people.insertOne(create(), { session })) },
          {
            // The cost of any second document, without index or validator: the limit for an event.
            name: 'two plain documents',
            run: () =>
              write(async (session) => {
                await people.insertOne(create(), { session });
                await others.insertOne(create(), { session });
              }),
          },
          {
            name: 'document and event (recordEvent)',
            run: () =>
              write(async (session) => {
                const document = create();
                await people.insertOne(document, { session });
                const aggregateId = document._id.toHexString();
                await recordEvent(session, db, person, { operation: 'upsert', aggregateId, payload: document });
              }),
          },
          {
            name: 'document and event (tracked collection)',
            run: () => write((session) => tracked.insertOne(create(), { session })),
          },
        ],
        { rounds: 12, warmUp: 3 },
      );
      const [alone, ...more] = result.rates as [Rate, ...Rate[]];
      const inserts = more.map((rate, index) => ({
        figure: `writer, ${rate.name}, 16 writers, against the document alone`,
        ratio: result.ratios[index + 1] as Rate,
        goal: index === 0 ? null : 0.7,
        rates: [rate, alone],
        unit: 'transactions/s',
      }));

      const existing = Array.from({ length: updates }, create);
      await people.insertMany(existing);
      let seen = 0;
      const update = async (one: (filter: Document, update: Document) => Promise<unknown>) => {
        seen += 1;
        const touch = { $set: { lastSeen: seen } };
        await pMap(existing, ({ _id }) => one({ _id }, touch), { concurrency: writers });
        return updates;
      };
      const updated = await compare(
        [
          { name: "the driver's updateOne", run: () => update((filter, set) => people.updateOne(filter, set)) },
          { name: 'tracked updateOne', run: () => update((filter, set) => tracked.updateOne(filter, set)) },
        ],
        { rounds: 12, warmUp: 3 },
      );
      const figure = "writer, tracked updateOne of what the payload does not declare, against the driver's updateOne";
      return [...inserts, againstFirst(updated, { figure, goal: 0.9, unit: 'updates/s' })];
    }),
};
