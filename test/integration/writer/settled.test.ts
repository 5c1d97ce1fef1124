/** Writers that wait until their events are applied by a consumer. */
import { type CommandStartedEvent, MongoClient, ObjectId } from 'mongodb';
import { expect, onTestFinished, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { settled } from '../../../lib/writer/settled.ts';
import { type TrackedCollection, trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, it, type SiteGraph, startConsumer, type TestDatabase } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;
let events: TrackedCollection<unknown>;

it.beforeAll(async ({ site, worker }) => {
  ({ graph, database } = site);
  expect(worker).toBeDefined();
  events = trackCollection(database.client, database.db, memoryEvent) as unknown as TrackedCollection<unknown>;
});

const patient = { timeoutMs: 60_000 };
const birthday = () => ({ _id: new ObjectId(), user_id: `user-${new ObjectId()}`, date: '12-10' });

/** The day of a document in the graph; null if it is not there. */
async function dayOf({ _id }: { readonly _id: ObjectId }): Promise<string | null> {
  const statement = 'MATCH (:User)-[:HAS_EVENT {event_id: $id}]->(d:Date) RETURN d.date AS day';
  const { records } = await graph.driver.executeQuery(statement, { id: String(_id) });
  return records[0]?.get('day') ?? null;
}

it('after settled, the graph has what each verb wrote', async () => {
  const document = birthday();
  const other = birthday();
  await events.settled(await events.insertMany([document, other]), patient);
  expect(await dayOf(document)).toBe('12-10');
  expect(await dayOf(other)).toBe('12-10');
  await events.settled(await events.updateOne({ _id: document._id }, { $set: { date: '12-11' } }), patient);
  expect(await dayOf(document)).toBe('12-11');
  const replaced = await events.findOneAndUpdate({ _id: document._id }, { $set: { date: '12-12' } });
  await events.settled(replaced as object, patient);
  expect(await dayOf(document)).toBe('12-12');
  await events.settled(await events.deleteMany({ _id: { $in: [document._id, other._id] } }), patient);
  expect(await dayOf(document)).toBeNull();
  expect(await dayOf(other)).toBeNull();
});

it('waits for the id of a recorded event, and for several in one transaction', async () => {
  const document = birthday();
  const result = await database.client.withSession((session) =>
    session.withTransaction(async () => {
      const first = await events.insertOne(document, { session });
      const payload = { ...document, date: '12-11' };
      const change = { operation: 'upsert', aggregateId: String(document._id), payload } as const;
      await database.db.collection(memoryEvent.collection).replaceOne({ _id: document._id }, payload, { session });
      return { first, second: await recordEvent(session, database.db, memoryEvent, change) };
    }),
  );
  await events.settled(result.first, patient);
  await settled(database.db, [result.second], patient);
  expect(await dayOf(document)).toBe('12-11');
});

it('resolves at once for a write that recorded no event', async () => {
  const document = birthday();
  await events.insertOne(document);
  await events.settled(await events.updateOne({ _id: document._id }, { $set: { seen: 1 } }), { timeoutMs: 1 });
  await events.settled(await events.deleteMany({ user_id: 'nobody' }), { timeoutMs: 1 });
});

it('resolves if the event was found, applied and purged in the meantime', async () => {
  const _id = new ObjectId();
  // No consumer works on this database.
  const other = await createTestDatabase();
  onTestFinished(other.drop);
  const outbox = other.db.collection(outboxCollection);
  const { client, count } = countQueries(outboxCollection);
  onTestFinished(() => client.close());
  const db = client.db(other.db.databaseName);
  await outbox.insertOne({ _id, status: 'pending' }, { bypassDocumentValidation: true });
  const waiting = settled(db, [_id], patient);
  await vi.waitUntil(() => count() > 1, { timeout: 60_000 });
  await outbox.deleteOne({ _id });
  await waiting;
});

it("rejects with the event's own code if it is dead", async () => {
  const [_id, message] = [new ObjectId(), 'payload.date: no such day'];
  const dead = { _id, status: 'dead', error: { code: 'payload-invalid', message } };
  await database.db.collection(outboxCollection).insertOne(dead, { bypassDocumentValidation: true });
  await expect(settled(database.db, [_id], patient)).rejects.toMatchObject({
    name: 'Fault',
    code: 'payload-invalid',
    message: expect.stringContaining(message),
  });
});

it('rejects with not-settled when the time is up, and says what to check', async () => {
  const unknown = settled(database.db, [new ObjectId()], { timeoutMs: 50 });
  await expect(unknown).rejects.toMatchObject({ code: 'not-settled', message: expect.stringContaining('commit') });
});

it('rejects with the reason of its signal', async () => {
  const abort = new AbortController();
  const waiting = settled(database.db, [new ObjectId()], { signal: abort.signal });
  abort.abort(new Error('the request was closed'));
  await expect(waiting).rejects.toThrow('the request was closed');
  await expect(settled(database.db, [new ObjectId()], { signal: abort.signal })).rejects.toThrow('was closed');
});

it('refuses the result of another collection', async () => {
  const other = trackCollection(database.client, database.db, memoryEvent);
  const result = await events.insertOne(birthday());
  await expect(other.settled(result)).rejects.toThrow(TypeError);
});

/** A client of its own, and the number of its queries of a collection. */
function countQueries(collection: string) {
  const client = new MongoClient(servers.mongodbUri, { monitorCommands: true });
  let queries = 0;
  client.on('commandStarted', ({ command }: CommandStartedEvent) => {
    if (command.find === collection) queries += 1;
  });
  return { client, count: () => queries };
}

it('a hundred waits share their queries, and without a wait there is no query', async () => {
  const { client, count } = countQueries(outboxCollection);
  onTestFinished(() => client.close());
  const db = client.db(database.db.databaseName);
  const tracked = trackCollection(client, db, memoryEvent) as unknown as TrackedCollection<unknown>;
  expect(count()).toBe(0);
  const results = [];
  for (let index = 0; index < 100; index += 1) results.push(await tracked.insertOne(birthday()));
  expect(count()).toBe(0);
  const startedAt = performance.now();
  await Promise.all(results.map((result) => tracked.settled(result, patient)));
  const rounds = (performance.now() - startedAt) / 10;
  expect(count()).toBeLessThan(2 + rounds);
  const before = count();
  await tracked.insertOne(birthday());
  expect(count()).toBe(before);
});

it('waits while the consumer is away, and resolves when it is back', async ({ worker }) => {
  await worker.stop();
  const document = birthday();
  const result = await events.insertOne(document);
  await expect(events.settled(result, { timeoutMs: 300 })).rejects.toMatchObject({
    code: 'not-settled',
    message: expect.stringContaining('Is the consumer running?'),
  });
  const waiting = events.settled(result, patient);
  startConsumer(database, graph);
  await waiting;
  expect(await dayOf(document)).toBe('12-10');
});
