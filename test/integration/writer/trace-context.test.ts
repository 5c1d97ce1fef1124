/**
 * Events carry the trace of the change that created them, for every verb and for any malformed
 * trace.
 */
import { type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { registerContexts, withSpan } from '../../support/async-contexts.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const active = `00-${traceId}-${spanId}-01`;
const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

let database: TestDatabase;
let events: TrackedCollection<unknown>;
let unregister: () => void;
beforeAll(async () => {
  database = await createTestDatabase();
  events = trackCollection(database.client, database.db, memoryEvent) as unknown as TrackedCollection<unknown>;
  unregister = registerContexts();
});
afterAll(async () => {
  unregister();
  await database.drop();
});

const birthday = (fields: Document = {}): Document & { _id: ObjectId } => ({
  _id: new ObjectId(),
  user_id: new ObjectId().toHexString(),
  date: '12-10',
  ...fields,
});
const underSpan = <Result>(run: () => Result) => withSpan(traceId, spanId, 1, run);

/** The trace contexts of a document's events, in order. */
async function traceparents(id: ObjectId): Promise<readonly unknown[]> {
  const found = await database.db
    .collection(outboxCollection)
    .find({ aggregateId: String(id) })
    .sort({ position: 1 })
    .toArray();
  return found.map((event) => event.traceparent);
}

const verbs: Readonly<Record<string, (id: ObjectId, options: { traceparent?: string }) => Promise<unknown>>> = {
  insertOne: (_id, options) => events.insertOne(birthday({ _id }), options),
  insertMany: (_id, options) => events.insertMany([birthday({ _id })], options),
  updateOne: (_id, options) =>
    events.updateOne({ _id }, { $set: birthday({ _id }) as Document }, { ...options, upsert: true }),
  updateMany: (_id, options) =>
    events.updateMany({ _id }, { $set: birthday({ _id }) as Document }, { ...options, upsert: true }),
  findOneAndUpdate: (_id, options) =>
    events.findOneAndUpdate({ _id }, { $set: birthday({ _id }) as Document }, { ...options, upsert: true }),
  replaceOne: (_id, options) =>
    events.replaceOne({ _id }, { user_id: 'u', date: '01-01' }, { ...options, upsert: true }),
};

it.each(Object.entries(verbs))('%s records the active span or the given trace context', async (_, write) => {
  const [one, other] = [new ObjectId(), new ObjectId()];
  await underSpan(() => write(one, {}));
  await underSpan(() => write(other, { traceparent: given }));
  expect(await traceparents(one)).toStrictEqual([active]);
  expect(await traceparents(other)).toStrictEqual([given]);
});

it.each(['deleteOne', 'deleteMany'] as const)('%s records it too', async (verb) => {
  const document = birthday();
  await events.insertOne(document);
  await underSpan(() => events[verb]({ _id: document._id }));
  expect(await traceparents(document._id)).toStrictEqual([undefined, active]);
});

it('recordEvent records it too, even from a span that is not sampled', async () => {
  const document = birthday();
  const change = { operation: 'upsert', aggregateId: String(document._id), payload: document } as const;
  await withSpan(traceId, spanId, 0, () =>
    database.client.withSession((session) =>
      session.withTransaction(() => recordEvent(session, database.db, memoryEvent, change)),
    ),
  );
  expect(await traceparents(document._id)).toStrictEqual([`00-${traceId}-${spanId}-00`]);
});

it('records nothing without an active span', async () => {
  const document = birthday();
  await events.insertOne(document);
  expect(await traceparents(document._id)).toStrictEqual([undefined]);
});

it('a malformed trace context is ignored, and the document is written', async () => {
  const [one, other] = [birthday(), birthday()];
  await events.insertOne(one, { traceparent: 'not-a-trace' });
  await underSpan(() => events.insertOne(other, { traceparent: `00-${'0'.repeat(32)}-${spanId}-01` }));
  expect(await traceparents(one._id)).toStrictEqual([undefined]);
  expect(await traceparents(other._id)).toStrictEqual([active]);
  expect(await events.countDocuments({ _id: { $in: [one._id, other._id] } })).toBe(2);
});
