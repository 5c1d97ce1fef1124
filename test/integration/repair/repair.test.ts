/**
 * `outgraph verify --repair` on a graph with every kind of damage that `outgraph verify` reports.
 */
import { type Document, ObjectId } from 'mongodb';
import { afterEach, expect, vi } from 'vitest';
import type { RepairReport } from '../../../cli/verify/repair.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Worker } from '../../../lib/worker/wiring.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { answerOf, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  readNodes,
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
let worker: Worker;

it.beforeAll(async ({ site, worker: started }) => {
  ({ graph, database } = site);
  worker = started;
  await writeSome(database, 40);
  await writeSome(database, 40);
  await untilSettled(database.db);
});
afterEach(async () => {
  expect(await verify()).toMatchObject({ exitCode: 0, outcome: 'equal' });
  await expectInStep(database.db, graph);
  const { records } = await run('MATCH (n) WHERE n._outgraphLock IS NOT NULL AND NOT n:OutgraphAggregate RETURN n');
  expect(records).toStrictEqual([]);
});

const noWait = ['--transaction-seconds', '0', '--json'];

type Answer = RepairReport & { readonly reason?: string };

const settings = () => settingsOf(database, graph);
const verify = () => answerOf<Answer>(startOutgraph(['verify', ...noWait], settings()));
const repair = (...args: readonly string[]) =>
  answerOf<Answer>(startOutgraph(['verify', '--repair', '--yes', ...noWait, ...args], settings()));

const run = (statement: string, parameters: Readonly<Record<string, unknown>> = {}) =>
  graph.driver.executeQuery(statement, parameters);

/** The id of a document whose relationship is in the graph. */
async function someEvent(): Promise<string> {
  const { records } = await run('MATCH (:User)-[r:HAS_EVENT]->(:Date) RETURN r.event_id AS id LIMIT 1');
  return records[0]?.get('id') as string;
}

/** Damages the graph, repairs it, and expects the original graph. */
async function expectRestored(damage: () => Promise<unknown>): Promise<RepairReport> {
  const before = await readNodes(graph);
  await damage();
  expect(await verify()).toMatchObject({ exitCode: 4 });
  const report = await repair();
  expect(report).toMatchObject({ exitCode: 0, outcome: 'equal' });
  expect(await readNodes(graph)).toStrictEqual(before);
  return report;
}

it('changes nothing in an equal graph, and exits 0', async () => {
  expect(await repair()).toMatchObject({ exitCode: 0, outcome: 'equal', verified: { outcome: 'equal' } });
});

it('does nothing without a confirmation', async () => {
  const eventId = await someEvent();
  await run('MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() DELETE r', { eventId });
  const unconfirmed = startOutgraphProcess(['verify', '--repair', ...noWait], settings());
  expect(await answerOf<Answer>(unconfirmed)).toMatchObject({ exitCode: 3, outcome: 'refused' });
  expect(await verify()).toMatchObject({ exitCode: 4, differences: { changed: 1 } });
  expect(await repair()).toMatchObject({ exitCode: 0, recorded: 1, corrected: 1 });
});

it('restores a relationship that was deleted, changed or moved', async () => {
  const eventId = await someEvent();
  await expectRestored(() => run('MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() DELETE r', { eventId }));
  await expectRestored(() =>
    run("MATCH ()-[r:HAS_EVENT {event_id: $eventId}]->() SET r.event_name = 'other', r.more = 1", { eventId }),
  );
  await expectRestored(() =>
    run(
      `MATCH (u)-[r:HAS_EVENT {event_id: $eventId}]->(d) WITH u, r, d, properties(r) AS properties
       DELETE r CREATE (d)-[s:HAS_EVENT]->(u) SET s = properties`,
      { eventId },
    ),
  );
});

it('restores a node that was deleted, with all its relationships', async () => {
  const { records } = await run(
    'MATCH (d:Date)<-[r]-() WITH d, count(r) AS held ORDER BY held DESC LIMIT 1 RETURN d.date AS date',
  );
  await expectRestored(() => run('MATCH (d:Date {date: $date}) DETACH DELETE d', { date: records[0]?.get('date') }));
  await expectRestored(() => run('MATCH (u:User) WHERE u._outgraphOwner IS NOT NULL WITH u LIMIT 1 DETACH DELETE u'));
});

it('restores changed properties, labels and marks', async () => {
  const someUser = 'MATCH (u:User) WHERE u._outgraphOwner IS NOT NULL WITH u LIMIT 1';
  await expectRestored(() => run(`${someUser} SET u:Suspicious, u.more = 'x'`));
  await expectRestored(() => run(`${someUser} REMOVE u._outgraphOwner, u._outgraph`));
  await expectRestored(() => run(`${someUser} SET u._outgraphOwner = 'memory-user:unknown'`));
});

it("removes unlisted elements with outgraph's marks; a node with a foreign relationship becomes bare", async () => {
  await run(
    `CREATE (:User {user_id: 'ghost', name: 'x', _outgraph: true, _outgraphOwner: 'memory-user:unknown'})
       -[:HAS_EVENT {_outgraphId: 'unlisted'}]->(:Date {date: '02-30', _outgraph: true}),
     (:User {user_id: 'held', name: 'x', _outgraph: true, _outgraphOwner: 'memory-user:unknown'})
       -[:KNOWS]->(:Stranger {name: 'y'})`,
  );
  expect(await repair()).toMatchObject({ exitCode: 0, outcome: 'equal', elementsSettled: 3, recorded: 0 });
  const { records } = await run(
    "MATCH (u) WHERE u.user_id IN ['ghost', 'held'] OR u.date = '02-30' RETURN properties(u) AS properties",
  );
  expect(records.map((record) => record.get('properties'))).toStrictEqual([{ user_id: 'held', _outgraph: true }]);
  await run("MATCH (n) WHERE n.user_id = 'held' OR n:Stranger DETACH DELETE n");
});

it('registers an aggregate again that is missing in the registry', async () => {
  const eventId = await someEvent();
  await expectRestored(() =>
    run('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key: `memory-event:${eventId}` }),
  );
});

it('rebuilds the whole registry', async () => {
  await expectRestored(async () => {
    await run('MATCH (a:OutgraphAggregate) DELETE a');
    await graph.setUp();
  });
});

it('applies writes and deletions that bypassed the outbox', async () => {
  const events = database.db.collection('memory_events');
  const [changed, removed] = (await events.find({}, { limit: 2 }).toArray()) as unknown as [Document, Document];
  await events.insertOne({ _id: new ObjectId(), user_id: 'past', date: '01-01' });
  await events.updateOne({ _id: changed._id }, { $set: { desc: 'past' } });
  await events.deleteOne({ _id: removed._id });
  expect(await repair()).toMatchObject({ exitCode: 0, outcome: 'equal', recorded: 2, deletionsRecorded: 1 });
});

it('deletes nothing if it would delete more than allowed', async () => {
  const events = database.db.collection('memory_events');
  const removed = await events.find({}, { limit: 3 }).toArray();
  await events.deleteMany({ _id: { $in: removed.map(({ _id }) => _id) } });
  const refused = await repair('--max-deleted', '2');
  expect(refused).toMatchObject({ exitCode: 3, outcome: 'refused', verified: { differences: { ghost: 3 } } });
  expect(refused.reason).toContain('--max-deleted 2');
  expect(await verify()).toMatchObject({ exitCode: 4, differences: { ghost: 3 } });
  expect(await repair('--max-deleted', '3')).toMatchObject({ exitCode: 0, deletionsRecorded: 3 });
});

it('completes after being killed at any moment and run again', async () => {
  const damages = [
    'MATCH (d:Date) WITH d LIMIT 5 DETACH DELETE d',
    'MATCH ()-[r:HAS_EVENT]->() WITH r LIMIT 10 SET r.more = 1',
    "MATCH (a:OutgraphAggregate) WHERE a.key <> '' WITH a LIMIT 10 DELETE a",
  ];
  for (const damage of damages) await run(damage);
  const outbox = database.db.collection(outboxCollection);
  for (let kills = 0; kills < 3; kills += 1) {
    const before = await outbox.countDocuments({});
    const command = startOutgraphProcess(['verify', '--repair', '--yes', '--rate', '10', ...noWait], settings());
    let hasEnded = false;
    const ended = command.ended.finally(() => {
      hasEnded = true;
    });
    await vi.waitUntil(async () => (await outbox.countDocuments({})) > before || hasEnded, {
      timeout: 60_000,
      interval: 5,
    });
    command.kill();
    await ended;
  }
  expect(await repair()).toMatchObject({ exitCode: 0, outcome: 'equal' });
});

it('does not touch a dead event, and reports it', async () => {
  const events = trackCollection(database.client, database.db, memoryEvent);
  const _id = new ObjectId();
  await worker.stop();
  await events.insertOne({ _id, user_id: 'waiting', date: '01-01' });
  const outbox = database.db.collection(outboxCollection);
  await outbox.updateOne(
    { aggregateId: String(_id) },
    { $set: { status: 'dead', deadAt: new Date(), error: { code: 'x', message: 'y' } } },
  );
  worker = startConsumer(database, graph);
  expect(await repair()).toMatchObject({ exitCode: 4, outcome: 'different', recorded: 0 });
  await database.db.collection('memory_events').deleteOne({ _id });
  await outbox.deleteOne({ aggregateId: String(_id) });
});
