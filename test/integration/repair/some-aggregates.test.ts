/** `verify` and `backfill` on some aggregates, and `forget`, on a graph that a consumer keeps. */
import { ObjectId } from 'mongodb';
import { expect, vi } from 'vitest';
import type { VerifyReport } from '../../../cli/verify/verify.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { discardedCollection } from '../../../lib/outbox/collections.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { answerOf, outgraph, startOutgraph } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;

it.beforeAll(async ({ site, worker }) => {
  ({ graph, database } = site);
  expect(worker).toBeDefined();
});

const settings = () => settingsOf(database, graph);
const outbox = () => database.db.collection(outboxCollection);
const documents = () => database.db.collection(memoryEvent.collection);
const events = () => trackCollection(database.client, database.db, memoryEvent);

/** Verifies with these options, and without waiting for writers' transactions. */
const verify = (...args: readonly string[]) =>
  answerOf<VerifyReport & { readonly first?: readonly { readonly aggregate: string }[] }>(
    startOutgraph(['verify', ...args, '--transaction-seconds', '0', '--json'], settings()),
  );

/** Repairs with these options. */
const repair = (...args: readonly string[]) => verify('--repair', '--yes', ...args);

/** Inserts a document of each of these users, and returns their ids once they are in the graph. */
async function insert(...users: readonly string[]): Promise<readonly ObjectId[]> {
  const ids = users.map(() => new ObjectId());
  for (const [index, user_id] of users.entries())
    await events().insertOne({ _id: ids[index] as ObjectId, user_id, date: '12-10', event_name: 'born' });
  await untilSettled(database.db);
  return ids;
}

/** Another program removes the relationship of a document. */
const damage = (id: ObjectId) =>
  graph.driver.executeQuery('MATCH ()-[r:HAS_EVENT {event_id: $id}]->() DELETE r', { id: String(id) });

/** A time after every event so far, and before every later one. */
async function laterThanNow(): Promise<string> {
  const serverTime = async (): Promise<Date> => (await database.db.command({ hello: 1 })).localTime;
  const since = new Date((await serverTime()).getTime() + 1);
  await vi.waitUntil(async () => (await serverTime()) > since);
  return since.toISOString();
}

const nameOf = (id: ObjectId) => `memory-event:${id}`;
const user = () => `user-${new ObjectId()}`;

it('verify --id compares and repairs this aggregate, and leaves its neighbour alone', async () => {
  const [one, other] = (await insert(user(), user())) as [ObjectId, ObjectId];
  await damage(one);
  await damage(other);
  const found = await verify('memory-event', '--id', String(one));
  expect(found).toMatchObject({ exitCode: 4, documents: 1, differences: { changed: 1 } });
  expect(found.first?.map(({ aggregate }) => aggregate)).toStrictEqual([nameOf(one)]);
  expect(await repair('memory-event', '--id', String(one))).toMatchObject({ exitCode: 0, recorded: 1 });
  expect(await verify('memory-event', '--id', String(one))).toMatchObject({ exitCode: 0, documents: 1 });
  expect(await verify('memory-event', '--id', String(other))).toMatchObject({ exitCode: 4 });
  expect(await repair('memory-event', '--id', String(other), '--id', String(one))).toMatchObject({ recorded: 1 });
  await expectInStep(database.db, graph);
});

it('verify --filter compares and repairs the documents that match', async () => {
  const name = user();
  const [one, , other] = (await insert(name, name, user())) as [ObjectId, ObjectId, ObjectId];
  await damage(one);
  await damage(other);
  const filter = JSON.stringify({ user_id: name });
  expect(await verify('memory-event', '--filter', filter)).toMatchObject({ documents: 2, differences: { changed: 1 } });
  const byObjectId = JSON.stringify({ _id: { $in: [{ $oid: String(one) }] } });
  expect(await verify('memory-event', '--filter', byObjectId)).toMatchObject({ exitCode: 4, documents: 1 });
  expect(await repair('memory-event', '--filter', filter)).toMatchObject({ exitCode: 0, recorded: 1 });
  expect(await verify('memory-event', '--filter', filter)).toMatchObject({ exitCode: 0, documents: 2 });
  expect(await repair('memory-event', '--id', String(other))).toMatchObject({ exitCode: 0 });
  await expectInStep(database.db, graph);
});

it('verify --since compares what has changed since, and repairs a ghost among it', async () => {
  const [old] = (await insert(user())) as [ObjectId];
  const since = await laterThanNow();
  const [changed, ghost] = (await insert(user(), user())) as [ObjectId, ObjectId];
  for (const id of [old, changed]) await damage(id);
  await documents().deleteOne({ _id: ghost });

  const found = await verify('--since', since);
  expect(found).toMatchObject({ exitCode: 4, documents: 1, differences: { changed: 1, ghost: 1 } });
  expect(found.first?.map(({ aggregate }) => aggregate).sort()).toStrictEqual([nameOf(changed), nameOf(ghost)].sort());
  expect(await repair('memory-event', '--since', since)).toMatchObject({
    exitCode: 0,
    recorded: 1,
    deletionsRecorded: 1,
  });
  expect(await verify('memory-event', '--id', String(ghost))).toMatchObject({ exitCode: 0, documents: 0 });
  expect(await verify('memory-event', '--id', String(old))).toMatchObject({ exitCode: 4 });
  expect(await repair('memory-event', '--id', String(old))).toMatchObject({ exitCode: 0 });
  await expectInStep(database.db, graph);
});

it('verify --since is refused if events of that time are purged', async () => {
  const answer = await verify('--since', '2020-01-01T00:00:00Z');
  expect(answer).toMatchObject({ exitCode: 3, reason: expect.stringContaining('are purged') });
});

it('a filter that MongoDB cannot use is refused with its reason', async () => {
  const answer = await verify('memory-event', '--filter', '{"$nonsense": 1}');
  expect(answer).toMatchObject({ exitCode: 3, reason: expect.stringContaining('$nonsense') });
});

it.each<readonly [string, (id: ObjectId, name: string, since: string) => readonly string[]]>([
  ['--id', (id) => ['--id', String(id)]],
  ['--filter', (_id, name) => ['--filter', JSON.stringify({ user_id: name })]],
  ['--since', (_id, _name, since) => ['--since', since]],
])('backfill %s records only the selected document', async (_, argsOf) => {
  const name = user();
  await insert(user());
  const since = await laterThanNow();
  const [id] = (await insert(name)) as [ObjectId];
  const before = await outbox().countDocuments({});
  const { results } = await outgraph(['backfill', 'memory-event', ...argsOf(id, name, since)], settings());
  expect(results).toMatchObject({ 'memory-event': { outcome: 'done', documents: 1, throughOutbox: 1 } });
  const added = await outbox().find({}).sort({ _id: 1 }).skip(before).toArray();
  expect(added.filter(({ aggregateType }) => aggregateType === 'memory-event')).toMatchObject([
    { aggregateId: String(id), operation: 'upsert' },
  ]);
  await expectInStep(database.db, graph);
});

const forget = (id: ObjectId, ...args: readonly string[]) =>
  answerOf<{ readonly outcome: string; readonly reason?: string }>(
    startOutgraph(['forget', 'memory-event', String(id), ...args, '--yes', '--json'], settings()),
  );
const eventsOf = (id: ObjectId) =>
  outbox()
    .find({ aggregateId: String(id) })
    .toArray();

it('forget refuses while the document exists, and changes nothing', async () => {
  const [id] = (await insert(user())) as [ObjectId];
  expect(await forget(id)).toMatchObject({ exitCode: 3, reason: expect.stringContaining('Delete it first') });
  expect(await eventsOf(id)).toMatchObject([{ operation: 'upsert', status: 'processed' }]);
});

it('forget removes processed, dead and discarded events, and leaves the deletion', async () => {
  const [id] = (await insert(user())) as [ObjectId];
  await events().updateOne({ _id: id }, { $set: { date: '12-11' } });
  await events().deleteOne({ _id: id });
  await untilSettled(database.db);
  const [first] = await eventsOf(id);
  const dead = {
    ...first,
    _id: new ObjectId(),
    status: 'dead',
    deadAt: new Date(),
    error: { code: 'x', message: 'x' },
  };
  await outbox().insertOne(dead, { bypassDocumentValidation: true });
  await database.db
    .collection(discardedCollection)
    .insertOne({ ...dead, _id: new ObjectId(), discardedAt: new Date() });

  expect(await forget(id)).toMatchObject({ exitCode: 0, events: 3, discarded: 1 });
  expect(await eventsOf(id)).toMatchObject([{ operation: 'delete', status: 'processed' }]);
  expect(await database.db.collection(discardedCollection).countDocuments({ aggregateId: String(id) })).toBe(0);
  expect(await forget(id)).toMatchObject({ exitCode: 0, events: 0, discarded: 0 });
  await expectInStep(database.db, graph);
});

it('forget deletes an aggregate whose document went without an event, also behind a dead state', async () => {
  const [id] = (await insert(user())) as [ObjectId];
  await documents().deleteOne({ _id: id });
  const [first] = await eventsOf(id);
  const position = (await database.db.command({ hello: 1 })).$clusterTime.clusterTime;
  const newer = { ...first, _id: new ObjectId(), position, deadAt: new Date(), error: { code: 'x', message: 'x' } };
  await outbox().insertOne({ ...newer, status: 'dead' }, { bypassDocumentValidation: true });

  expect(await forget(id)).toMatchObject({ exitCode: 0, events: 2 });
  const [deletion, ...others] = await eventsOf(id);
  expect(others).toStrictEqual([]);
  expect(deletion).toMatchObject({ operation: 'delete', status: 'processed' });
  expect(deletion?.position.compare(position)).toBe(1);
  await expectInStep(database.db, graph);
});

it('forget removes no event before the graph has the deletion', async ({ worker }) => {
  const [id] = (await insert(user())) as [ObjectId];
  await worker.stop();
  await events().deleteOne({ _id: id });
  expect(await forget(id, '--wait-seconds', '1')).toMatchObject({
    exitCode: 3,
    outcome: 'refused',
    reason: expect.stringContaining('Is the consumer running?'),
  });
  expect(await eventsOf(id)).toMatchObject([{ operation: 'upsert' }, { operation: 'delete', status: 'pending' }]);
  startConsumer(database, graph);
  expect(await forget(id)).toMatchObject({ exitCode: 0, events: 1 });
  await expectInStep(database.db, graph);
});
