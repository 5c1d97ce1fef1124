/** `outgraph verify` on a graph with every kind of damage that it reports. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Document, ObjectId } from 'mongodb';
import { afterEach, expect, vi } from 'vitest';
import type { Difference } from '../../../cli/verify/difference.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { dumpGraph, loadGraph } from '../../support/graph-dump.ts';
import { answerOf, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  it,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
  writeSome,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;

it.beforeAll(async ({ site }) => {
  ({ graph, database } = site);
  const worker = startConsumer(database, graph);
  await writeSome(database, 40);
  await writeSome(database, 40);
  await untilSettled(database.db);
  await worker.stop();
});

interface Verified {
  readonly exitCode: number | null;
  readonly outcome: string;
  readonly documents: number;
  readonly inFlight: number;
  readonly differences: Readonly<Record<string, number>>;
  readonly first: readonly Difference[];
}

const verify = (...args: readonly string[]) =>
  answerOf<Verified>(
    startOutgraph(['verify', '--json', '--transaction-seconds', '0', ...args], settingsOf(database, graph)),
  );

const run = (statement: string, parameters: Readonly<Record<string, unknown>> = {}) =>
  graph.driver.executeQuery(statement, parameters);

/** Undoes the damage of a test. */
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
  expect(await verify()).toMatchObject({ exitCode: 0, outcome: 'equal', inFlight: 0 });
});

/** A relationship of the aggregate type `memory-event`, and its document's id. */
async function someEvent(): Promise<{ readonly key: string; readonly eventId: string }> {
  const { records } = await run('MATCH (:User)-[r:HAS_EVENT]->(:Date) RETURN r.event_id AS id LIMIT 1');
  const eventId = records[0]?.get('id') as string;
  return { eventId, key: `memory-event:${eventId}` };
}

it('an untouched graph is equal, and the command exits 0', async () => {
  const documents =
    (await database.db.collection('memory_events').countDocuments()) +
    (await database.db.collection('memory_users').countDocuments());
  expect(documents).toBeGreaterThan(60);
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 0, outcome: 'equal', documents });
  expect(Object.values(found.differences).every((count) => count === 0)).toBe(true);
});

it('reports a deleted relationship as changed', async () => {
  const { key, eventId } = await someEvent();
  const { records } = await run(
    `MATCH (u:User)-[r:HAS_EVENT {event_id: $eventId}]->(d:Date)
     RETURN u.user_id AS user, d.date AS date, properties(r) AS properties`,
    { eventId },
  );
  const before = records[0]?.toObject();
  await run('MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() DELETE r', { eventId });
  undo.push(() =>
    run(
      'MATCH (u:User {user_id: $user}), (d:Date {date: $date}) CREATE (u)-[r:HAS_EVENT]->(d) SET r = $properties',
      before,
    ),
  );
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, outcome: 'different', differences: { changed: 1, missing: 0, ghost: 0 } });
  expect(found.first[0]).toMatchObject({ kind: 'changed', aggregate: key, reason: 'The relationship is gone.' });
  // Its endpoints only existed because of it.
  expect(found.first.slice(1).every(({ kind }) => kind === 'unowned')).toBe(true);
  expect(await verify('--quick')).toMatchObject({ exitCode: 0, outcome: 'equal' });
});

it('reports a deleted node as changed, and names it', async () => {
  const { records } = await run(
    'MATCH (u:User) WHERE u._outgraphOwner IS NOT NULL AND NOT (u)--() RETURN properties(u) AS properties LIMIT 1',
  );
  const lonely = records[0]?.get('properties') as Record<string, unknown> | undefined;
  const properties = lonely ?? (await addUser());
  await run('MATCH (u:User {user_id: $id}) DETACH DELETE u', { id: properties.user_id });
  undo.push(() => run('CREATE (u:User) SET u = $properties', { properties }));
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { changed: 1 } });
  expect(found.first).toMatchObject([
    { aggregate: properties._outgraphOwner, element: `["User",[["user_id","s${properties.user_id}"]]]` },
  ]);
});

/** Adds a user without events. */
async function addUser(): Promise<Record<string, unknown>> {
  const worker = startConsumer(database, graph);
  await trackCollection(database.client, database.db, memoryUser).insertOne({ _id: new ObjectId(), user_id: 'lonely' });
  await untilSettled(database.db);
  await worker.stop();
  const { records } = await run("MATCH (u:User {user_id: 'lonely'}) RETURN properties(u) AS properties");
  return records[0]?.get('properties') as Record<string, unknown>;
}

it('reports a changed property by its name, without its value', async () => {
  const { eventId } = await someEvent();
  await run("MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() SET r.event_name = 'secret', r.more = 1", { eventId });
  undo.push(() =>
    run("MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() SET r.event_name = 'new' REMOVE r.more", { eventId }),
  );
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { changed: 1 } });
  expect(found.first[0]?.reason).toBe('Its properties differ: event_name, more.');
  expect(JSON.stringify(found)).not.toContain('secret');
});

it('writes every difference to a file, and refuses an unwritable file before it reads anything', async () => {
  await run("CREATE (:Date {date: '02-31', _outgraph: true})");
  undo.push(() => run("MATCH (n:Date {date: '02-31'}) DELETE n"));
  const file = path.join(tmpdir(), `outgraph-${new ObjectId()}.jsonl`);
  const found = await verify('--to', file, '--first', '0');
  expect(found).toMatchObject({ exitCode: 4, first: [], differences: { unowned: 1 } });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ kind: 'unowned' });
  await rm(file);
  const nowhere = path.join(tmpdir(), 'outgraph-nowhere', 'file');
  const refused = startOutgraphProcess(['verify', '--json', '--to', nowhere], settingsOf(database, graph));
  const { exitCode, stdout } = await refused.ended;
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'refused' });
});

it('reports an added label as a change', async () => {
  const { records } = await run(
    'MATCH (u:User) WHERE u._outgraphOwner IS NOT NULL WITH u LIMIT 1 SET u:Suspicious RETURN u.user_id AS id',
  );
  undo.push(() => run('MATCH (u:Suspicious) REMOVE u:Suspicious'));
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { changed: 1 } });
  expect(found.first[0]).toMatchObject({
    reason: 'Its labels differ.',
    element: expect.stringContaining(records[0]?.get('id') as string),
  });
});

it("an unlisted relationship with outgraph's marks and a node with an unknown owner are unowned", async () => {
  await run(
    `CREATE (:User {user_id: 'ghost', _outgraphOwner: 'memory-user:unknown'})
       -[:HAS_EVENT {_outgraphId: 'unlisted'}]->(:Date {date: '02-30', _outgraph: true})`,
  );
  undo.push(() => run("MATCH (u:User {user_id: 'ghost'}), (d:Date {date: '02-30'}) DETACH DELETE u, d"));
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { unowned: 2, ghost: 0 } });
  expect(found.first.map(({ element }) => element).sort()).toStrictEqual(
    ['HAS_EVENT unlisted', '["User",[["user_id","sghost"]]]'].sort(),
  );
});

it('reports a node that its aggregate does not list, and a bare node without relationships', async () => {
  const { key } = await someEvent();
  await run("CREATE (:User {user_id: 'more', _outgraphOwner: $key}), (:Date {date: '02-31', _outgraph: true})", {
    key,
  });
  undo.push(() => run("MATCH (n) WHERE n.user_id = 'more' OR n.date = '02-31' DELETE n"));
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { ghost: 1, unowned: 1 } });
});

it("ignores elements without outgraph's marks", async () => {
  await run("MATCH (u:User) WITH u LIMIT 1 CREATE (u)-[:KNOWS]->(:Stranger {name: 'x'})");
  undo.push(() => run('MATCH (s:Stranger) DETACH DELETE s'));
  expect(await verify()).toMatchObject({ exitCode: 0, outcome: 'equal' });
});

it('an aggregate without a registry node is missing, and its elements are unowned', async () => {
  const { key } = await someEvent();
  const { records } = await run('MATCH (a:OutgraphAggregate {key: $key}) RETURN properties(a) AS entry', { key });
  await run('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key });
  undo.push(() => run('CREATE (a:OutgraphAggregate) SET a = $entry', { entry: records[0]?.get('entry') }));
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { missing: 1, unowned: 1 } });
  expect(found.first).toContainEqual({
    kind: 'missing',
    aggregate: key,
    element: null,
    reason: 'The graph does not know the aggregate.',
  });
  expect(await verify('--quick')).toMatchObject({ exitCode: 4, differences: { missing: 1, unowned: 0 } });
});

it('documents inserted, changed or deleted without events are missing, stale or ghosts', async () => {
  const events = database.db.collection('memory_events');
  const added = new ObjectId();
  const [changed, removed] = (await events.find({}, { limit: 2 }).toArray()) as [
    Document & { _id: ObjectId },
    Document & { _id: ObjectId },
  ];
  await events.insertOne({ _id: added, user_id: 'past', date: '01-01' });
  await events.updateOne({ _id: changed._id }, { $set: { desc: 'past' } });
  await events.deleteOne({ _id: removed._id });
  undo.push(async () => {
    await events.deleteOne({ _id: added });
    await events.replaceOne({ _id: changed._id }, changed);
    await events.insertOne(removed);
  });
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, differences: { missing: 1, stale: 1, ghost: 1, changed: 0, unowned: 0 } });
  expect(found.first.map(({ kind, aggregate }) => `${kind} ${aggregate}`).sort()).toStrictEqual(
    [`missing memory-event:${added}`, `stale memory-event:${changed._id}`, `ghost memory-event:${removed._id}`].sort(),
  );
  expect(await verify('memory-user')).toMatchObject({ exitCode: 0, outcome: 'equal' });
});

it('an aggregate with a pending event is in flight, and one with a dead event is dead', async () => {
  const events = trackCollection(database.client, database.db, memoryEvent);
  const _id = new ObjectId();
  await events.insertOne({ _id, user_id: 'waiting', date: '01-01' });
  expect(await verify()).toMatchObject({ exitCode: 0, outcome: 'equal', inFlight: 1 });
  const outbox = database.db.collection(outboxCollection);
  await outbox.updateOne(
    { aggregateId: String(_id) },
    { $set: { status: 'dead', deadAt: new Date(), error: { code: 'x', message: 'y' } } },
  );
  const found = await verify();
  expect(found).toMatchObject({ exitCode: 4, inFlight: 0, differences: { dead: 1, missing: 0 } });
  undo.push(async () => {
    await database.db.collection('memory_events').deleteOne({ _id });
    await outbox.deleteOne({ aggregateId: String(_id) });
  });
});

it('an older copy of the graph has stale and missing aggregates and ghosts', async () => {
  const old = await dumpGraph(graph.driver);
  const worker = startConsumer(database, graph);
  await writeSome(database, 20);
  await untilSettled(database.db);
  await worker.stop();
  const current = await dumpGraph(graph.driver);
  await loadGraph(graph.driver, old);
  undo.push(() => loadGraph(graph.driver, current));
  const found = await verify();
  expect(found.exitCode).toBe(4);
  expect(found.differences).toMatchObject({
    missing: expect.any(Number),
    stale: expect.any(Number),
    ghost: expect.any(Number),
  });
  const { missing = 0, stale = 0, ghost = 0 } = found.differences;
  expect(missing).toBeGreaterThan(0);
  expect(stale).toBeGreaterThan(0);
  expect(ghost).toBeGreaterThan(0);
});
