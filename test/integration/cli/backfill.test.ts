/**
 * `outgraph backfill`, through the outbox and directly: documents without events reach the graph,
 * and concurrent changes by writers win.
 */
import { type Document, ObjectId } from 'mongodb';
import { beforeEach, expect, vi } from 'vitest';
import { backfillDirectly } from '../../../cli/backfill/backfill-directly.ts';
import { joinDirect } from '../../../cli/backfill/wiring.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { withoutSource } from '../../../lib/contract/registry-keys.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { outgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  countDifferences,
  expectInStep,
  it,
  readNodes,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;
it.beforeAll(({ site }) => {
  ({ graph, database } = site);
});
beforeEach(async () => {
  await graph.driver.executeQuery('MATCH (n) DETACH DELETE n');
  await graph.setUp();
  for (const name of [outboxCollection, checkpointCollection, 'memory_events', 'memory_users'])
    await database.db.collection(name).deleteMany({});
});

const settings = () => settingsOf(database, graph);
const outbox = () => database.db.collection(outboxCollection);
const documents = () => database.db.collection('memory_events');
const tracked = () => trackCollection(database.client, database.db, memoryEvent);
const day = (number: number) => `12-${String(1 + (number % 31)).padStart(2, '0')}`;

/** Inserts documents as a program without outgraph does. */
async function insertUntracked(count: number): Promise<readonly ObjectId[]> {
  const events = Array.from({ length: count }, (_, index) => {
    return { _id: new ObjectId(), user_id: `user ${index % 20}`, date: day(index), year: 2_000 + (index % 9) };
  });
  await documents().insertMany(events);
  return events.map(({ _id }) => _id);
}

async function insertOne(): Promise<ObjectId> {
  const _id = new ObjectId();
  await documents().insertOne({ _id, user_id: 'user 0', date: '12-10' });
  return _id;
}

async function resultOf(...args: readonly string[]): Promise<Document> {
  const { results } = await outgraph(['backfill', 'memory-event', ...args], settings());
  return (results as Document)['memory-event'];
}

/** The progress of the backfill; null once it is complete. */
const note = () =>
  database.db
    .collection<{ _id: string; recorded: number }>(checkpointCollection)
    .findOne({ _id: 'direct-backfill/memory-event' });

/** Waits until at least `count` documents are done. Resolves with their number. */
async function untilDone(count: number): Promise<number> {
  const enough = async () => {
    const done = (await note())?.recorded ?? 0;
    return done >= count ? done : undefined;
  };
  return waitUntil(enough, { timeoutSeconds: 60, pollMillis: 20, what: `${count} documents to be done` });
}

/** Runs `work` while a consumer is running. */
async function withConsumer(work: () => Promise<unknown>): Promise<void> {
  const worker = startConsumer(database, graph);
  try {
    await work();
    await untilSettled(database.db);
  } finally {
    await worker.stop();
  }
}

it.each([
  ['through the outbox', [], { throughOutbox: 330, applied: 0 }],
  ['directly', ['--direct'], { throughOutbox: 0, applied: 330 }],
])('documents written without outgraph reach the graph %s, and a rerun changes nothing', async (_, way, counts) => {
  const { db } = database;
  await insertUntracked(300);
  const users = Array.from({ length: 30 }, (_, index) => ({ _id: new ObjectId(), user_id: `user ${index}` }));
  await db.collection('memory_users').insertMany(users);
  const run = () => outgraph(['backfill', 'memory-user', 'memory-event', '--rate', '5000', ...way], settings());
  await withConsumer(async () => {
    const { results } = (await run()) as { results: Record<string, Record<string, number>> };
    const sum = (name: string) => (results['memory-user']?.[name] ?? 0) + (results['memory-event']?.[name] ?? 0);
    expect({ throughOutbox: sum('throughOutbox'), applied: sum('applied') }).toStrictEqual(counts);
    expect(sum('documents')).toBe(330);
    expect(sum('superseded')).toBe(0);
    expect(sum('unrecordable')).toBe(0);
  });
  await expectInStep(db, graph);
  const { exitCode } = await startOutgraph(['verify', '--json'], settings()).ended;
  expect(exitCode).toBe(0);
  expect(await outbox().countDocuments({ aggregateType: /^memory/ })).toBe(counts.throughOutbox);

  const nodes = await readNodes(graph);
  await withConsumer(run);
  await expectInStep(db, graph);
  expect(await readNodes(graph)).toStrictEqual(nodes);
});

it('updates, deletions and inserts by writers during a run win, however often it runs', async () => {
  const ids = await insertUntracked(1_500);
  let writing = true;
  let writes = 0;
  const writer = async (number: number) => {
    // Each writer has its own documents, interleaved with those of the others.
    for (let turn = 0; writing; turn += 1) {
      const _id = ids[(93 * turn + number) % ids.length] ?? new ObjectId();
      if (turn % 3 === 0) await tracked().deleteOne({ _id });
      else {
        const found = await tracked().updateOne({ _id }, { $set: { date: day(turn), desc: `${turn}` } });
        if (found.matchedCount === 0) await tracked().insertOne({ _id, user_id: `user ${turn % 20}`, date: day(turn) });
      }
      writes += 1;
    }
  };
  await withConsumer(async () => {
    const writers = [0, 1, 2].map(writer);
    for (let run = 1; run <= 3; run += 1)
      expect(await resultOf('--direct', '--rate', '700', '--concurrency', '4')).toMatchObject({ outcome: 'done' });
    writing = false;
    await Promise.all(writers);
  });
  expect(writes).toBeGreaterThan(100);
  await expectInStep(database.db, graph);
});

it('events that are applied between its read and its apply win', async () => {
  const { db } = database;
  const [updated, deleted, inserted, untouched] = [
    await insertOne(),
    await insertOne(),
    await insertOne(),
    await insertOne(),
  ];
  const running = { ratePerSecond: 1_000, signal: new AbortController().signal, progress: () => undefined };
  const log = { waiting: () => undefined, unavailable: () => undefined, unrecordable: () => undefined };
  const ports = joinDirect(
    { db, driver: graph.driver, database: 'neo4j', keys: withoutSource },
    memoryEvent,
    running,
    log,
  );
  let superseded: readonly string[] = [];
  const report = await backfillDirectly(
    {
      ...ports,
      applyBatch: async (states, results) => {
        await withConsumer(async () => {
          await tracked().updateOne({ _id: updated }, { $set: { date: '01-01' } });
          await tracked().deleteOne({ _id: deleted });
          await tracked().deleteOne({ _id: inserted });
          await tracked().insertOne({ _id: inserted, user_id: 'another', date: '02-02' });
        });
        await ports.applyBatch(states, results);
        superseded = [...results].flatMap(([key, { outcome }]) => (outcome === 'superseded' ? key : []));
      },
    },
    {
      aggregateType: memoryEvent.type,
      transactionSeconds: 120,
      maxPending: 10,
      chunkDocuments: 10,
      concurrency: 1,
    },
  );
  expect(report).toMatchObject({ outcome: 'done', documents: 4, applied: 1, superseded: 3, throughOutbox: 0 });
  expect(superseded).not.toContain(`memory-event:${untouched}`);
  await expectInStep(db, graph);
});

it('a transaction that records its event before the read and commits after it wins', async () => {
  const { client, db } = database;
  const [updated, deleted] = [await insertOne(), await insertOne()];
  await client.withSession(async (session) => {
    session.startTransaction({ writeConcern: { w: 'majority' } });
    const changed = { _id: updated, user_id: 'user 0', date: '01-01' };
    await documents().replaceOne({ _id: updated }, changed, { session });
    const change = { operation: 'upsert', aggregateId: String(updated), payload: changed } as const;
    await recordEvent(session, db, memoryEvent, change);
    await documents().deleteOne({ _id: deleted }, { session });
    await recordEvent(session, db, memoryEvent, { operation: 'delete', aggregateId: String(deleted) });
    // It reads the committed state: both documents as they were.
    expect(await resultOf('--direct')).toMatchObject({ documents: 2, applied: 2 });
    await session.commitTransaction();
  });
  expect(await countDifferences(db, graph)).toBeGreaterThan(0);
  await withConsumer(async () => undefined);
  expect(await documents().countDocuments()).toBe(1);
  await expectInStep(db, graph);
});

it('exits 130 if interrupted; a run through the outbox then starts from the beginning', async () => {
  await insertUntracked(200);
  const slow = startOutgraph(['backfill', 'memory-event', '--direct', '--yes', '--rate', '50'], settings());
  await untilDone(10);
  slow.interrupt();
  const { exitCode, stdout } = await slow.ended;
  expect({ exitCode, stdout }).toStrictEqual({
    exitCode: 130,
    stdout: expect.stringContaining('Run it again with memory-event to continue'),
  });
  await withConsumer(async () => {
    const everything = { outcome: 'done', documents: 200, throughOutbox: 200 };
    expect(await resultOf('--rate', '5000')).toMatchObject(everything);
  });
  await expectInStep(database.db, graph);
});

it('after a kill, it continues where it was; a run through the outbox starts from the beginning', async () => {
  const ids = await insertUntracked(400);
  const slow = startOutgraphProcess(['backfill', 'memory-event', '--direct', '--yes', '--rate', '100'], settings());
  const recorded = await untilDone(50);
  slow.kill();
  await slow.ended;
  expect(await countDifferences(database.db, graph)).toBeGreaterThan(0);

  const { results } = await outgraph(['backfill', 'memory-event', '--rate', '5000'], settings());
  expect(results).toMatchObject({ 'memory-event': { throughOutbox: ids.length } });
  await outbox().deleteMany({});
  const result = await resultOf('--direct');
  expect(result).toMatchObject({ outcome: 'done', documents: ids.length });
  expect(result.applied + result.superseded).toBeLessThanOrEqual(ids.length - recorded);
  expect(await note()).toBeNull();
  await expectInStep(database.db, graph);
});

it('sends what the graph refuses through the outbox, and names documents that cannot be events', async () => {
  const { client, db } = database;
  await insertUntracked(20);
  const invalid = new ObjectId();
  const long = 'x'.repeat(600);
  const untyped = db.collection<{ _id: unknown; user_id: string; date: string }>('memory_events');
  await untyped.insertMany([
    { _id: invalid as unknown, user_id: 'ada', date: 'tomorrow' },
    { _id: long as unknown, user_id: 'ada', date: '01-01' },
  ]);
  const [one, other] = [new ObjectId(), new ObjectId()];
  await db.collection('memory_users').insertMany([one, other].map((_id) => ({ _id, user_id: 'ada' })));
  const args = ['backfill', 'memory-user', 'memory-event', '--direct', '--yes', '--json'];
  const { stdout, stderr, exitCode } = await startOutgraph(args, settings()).ended;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).results).toMatchObject({
    'memory-user': { documents: 2, applied: 1, throughOutbox: 1, unprojectable: 0, unrecordable: 0 },
    'memory-event': { documents: 22, applied: 20, throughOutbox: 1, unprojectable: 1, unrecordable: 1 },
  });
  expect(stderr).toContain(`Cannot record an event for the document with _id "${long}"`);

  const waiting = await outbox().findOne({ aggregateType: 'memory-user' });
  const owner = waiting?.aggregateId === String(one) ? other : one;
  await withConsumer(() => trackCollection(client, db, memoryUser).deleteOne({ _id: owner }));
  const dead = await outbox().find({ status: 'dead' }).toArray();
  expect(dead).toMatchObject([{ aggregateId: String(invalid), error: { code: 'payload-invalid' } }]);
  await untyped.deleteMany({ date: 'tomorrow' });
  await untyped.deleteOne({ date: '01-01' });
  await outbox().deleteMany({ status: 'dead' });
  await expectInStep(db, graph);
});

it('changes nothing before the user has confirmed', async () => {
  await insertUntracked(3);
  const { exitCode, stderr } = await startOutgraph(['backfill', 'memory-event', '--direct'], settings()).ended;
  expect(exitCode).toBe(3);
  expect(stderr).toContain(
    'straight into the graph, without events, of about 3 documents of memory-event, at most 10000 a second',
  );
  expect(stderr).toContain('pass --yes');
  expect(await readNodes(graph)).toStrictEqual([]);
  expect(await outbox().countDocuments()).toBe(0);
});
