/**
 * Compares a writer's transaction of document and event with the same transaction of the document
 * alone.
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
import type { Benchmark } from './figure.ts';

const writers = 16;
const transactions = 640;

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
      const create = (): Document & { _id: ObjectId } => ({ _id: new ObjectId(), name: 'Ada', city: 'London' });
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
      return more.map((rate, index) => ({
        figure: `writer, ${rate.name}, 16 writers, against the document alone`,
        ratio: result.ratios[index + 1] as Rate,
        goal: index === 0 ? null : 0.7,
        rates: [rate, alone],
        unit: 'transactions/s',
      }));
    }),
};
