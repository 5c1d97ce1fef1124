/**
 * The worker on real servers, as a library and once as the command: one or several workers apply
 * everything that is committed, across stops.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import type { WorkerLog } from '../../../lib/worker/log.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
});
afterAll(async () => {
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);
const failures: unknown[] = [];
const log: WorkerLog = {
  ...silentLog,
  failed: (_part, error) => failures.push(error),
};
const start = (settings: object = {}) =>
  startWorker(
    readSettings(workerSettings, {
      ...database.settings,
      PUBLISHER_LEASE_SECONDS: '5',
      ...settings,
    }),
    catalog,
    log,
  );

/** Writes events of new aggregates, each with one node. */
async function write(group: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) =>
    upsertEvent(
      { nodes: [small.node(`${group}-${index}`)] },
      { aggregateId: `${small.graph.label}-${group}-${index}` },
    ),
  );
  await outbox().insertMany(events, { writeConcern: { w: 'majority' } });
}

const untilNothingIsPending = () =>
  waitUntil(async () => (await outbox().countDocuments({ status: 'pending' })) === 0 || undefined, {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'every event to be settled',
  });
const countNodes = (group: string) =>
  small.count(`MATCH (n:${small.graph.label}) WHERE n.id STARTS WITH $group RETURN count(n) AS value`, {
    group: `${group}-`,
  });

it('applies events from before it started and events that arrive while it runs', async () => {
  await write('before', 1_500);
  const worker = start();
  await untilNothingIsPending();
  await write('after', 300);
  await untilNothingIsPending();
  await worker.stop();
  expect(worker.health()).toMatchObject({ applied: 1_800, dead: 0 });
  expect(worker.health().failing).toStrictEqual({});
  expect(await countNodes('before')).toBe(1_500);
  expect(await countNodes('after')).toBe(300);
  expect(failures).toStrictEqual([]);
});

it('leaves the rest pending if stopped in the middle, and the next one continues', async () => {
  await write('stopped', 4_000);
  const first = start();
  await waitUntil(async () => first.health().applied > 0 || undefined, {
    timeoutSeconds: 30,
    pollMillis: 1,
    what: 'the first batch',
  });
  await first.stop();
  const settled = await outbox().countDocuments({ status: 'processed', aggregateId: /-stopped-/ });
  expect(await countNodes('stopped')).toBe(settled);
  const second = start();
  await untilNothingIsPending();
  await second.stop();
  expect(await countNodes('stopped')).toBe(4_000);
  expect(failures).toStrictEqual([]);
});

it('marks an event dead that claims an owned node, and names both aggregates and the node', async () => {
  const [holder, claimant] = ['holder', 'claimant'].map((name) => `${small.graph.label}-${name}`) as [string, string];
  const claim = (aggregateId: string) => upsertEvent({ nodes: [small.node('wanted')] }, { aggregateId });
  const worker = start({ CONFLICT_MAX_RECEIVES: '2' });
  await outbox().insertOne(claim(holder), { writeConcern: { w: 'majority' } });
  await untilNothingIsPending();
  await outbox().insertOne(claim(claimant), { writeConcern: { w: 'majority' } });
  await untilNothingIsPending();
  await worker.stop();
  const dead = await outbox().findOne({ aggregateId: claimant });
  expect(dead).toMatchObject({ status: 'dead', error: { code: 'ownership-conflict' } });
  for (const name of [`graph:${holder}`, `graph:${claimant}`, `${small.graph.label} {id: "wanted"}`])
    expect(dead?.error.message).toContain(name);
});

it('applies an event whose claimed node is released while it waits', async () => {
  const [holder, claimant] = ['owner', 'heir'].map((name) => `${small.graph.label}-${name}`) as [string, string];
  const nodes = [small.node('inherited')];
  const worker = start();
  await outbox().insertOne(upsertEvent({ nodes }, { aggregateId: holder }), { writeConcern: { w: 'majority' } });
  await untilNothingIsPending();
  await outbox().insertOne(upsertEvent({ nodes }, { aggregateId: claimant }), { writeConcern: { w: 'majority' } });
  await waitUntil(async () => worker.health().queued > 0 || undefined, {
    timeoutSeconds: 10,
    pollMillis: 5,
    what: 'the claim to wait',
  });
  await outbox().insertOne(upsertEvent({ nodes: [] }, { aggregateId: holder }), { writeConcern: { w: 'majority' } });
  await untilNothingIsPending();
  await worker.stop();
  expect(await outbox().countDocuments({ aggregateId: { $in: [holder, claimant] }, status: 'processed' })).toBe(3);
});

it('as the command, exits 0 if interrupted, even twice', async () => {
  let printed = '';
  const command = startOutgraphProcess(['worker', '--port', '0'], database.settings, (text) => {
    printed += text;
  });
  const until = (message: string) =>
    waitUntil(async () => printed.includes(message) || undefined, {
      timeoutSeconds: 60,
      pollMillis: 1,
      what: `the message "${message}"`,
    });
  await until('worker started');
  void command.interrupt();
  await until('worker stopping');
  expect(await command.interrupt()).toMatchObject({ exitCode: 0, stderr: '' });
  expect(printed).toContain('worker stopped');
});
