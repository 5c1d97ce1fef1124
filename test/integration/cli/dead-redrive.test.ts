/** `outgraph redrive` on a real outbox and graph. */
import { type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { type ConflictDocument, countConflict } from '../../../lib/consumer/mongodb-failures.ts';
import { beginTrial, type TrialDocument } from '../../../lib/consumer/mongodb-trials.ts';
import type { DataFaultCode } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { conflictCollection, trialCollection } from '../../../lib/outbox/collections.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { outgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { sweepOn } from '../../support/sweep-on.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  [database, small] = await Promise.all([createTestDatabase(), openSmallGraph()]);
});
beforeEach(async () => {
  await outbox().deleteMany({});
});
afterAll(async () => {
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);
const settings = () => database.settings;
const countPending = () => outbox().countDocuments({ status: 'pending' });

/** Inserts an event and marks it dead. */
async function deadEvent(code: DataFaultCode, fields: Document = {}): Promise<string> {
  const event = upsertEvent({ nodes: [] }, fields);
  await outbox().insertOne(event);
  const eventId = event._id.toHexString();
  await markDead(outbox(), [{ eventId, code, message: 'for a test' }]);
  return eventId;
}

it.each<readonly [string, (ids: readonly string[]) => readonly string[], readonly number[]]>([
  ['all', () => ['--all'], [0, 1, 2]],
  ['those of a code', () => ['--code', 'payload-invalid'], [0, 1]],
  ['those of a type', () => ['--type', 'other'], [1, 2]],
  ['those of a code and a type', () => ['--code', 'payload-invalid', '--type', 'other'], [1]],
  ['those of two ids', (ids) => ['--id', ids[0] ?? '', '--id', ids[2] ?? ''], [0, 2]],
])('makes %s pending again, as their writer recorded them', async (_, choose, expected) => {
  const ids = [
    await deadEvent('payload-invalid'),
    await deadEvent('payload-invalid', { aggregateType: 'other' }),
    await deadEvent('key-invalid', { aggregateType: 'other', attempts: 5, nextAttemptAt: new Date() }),
  ];
  expect(await outgraph(['redrive', ...choose(ids)], settings())).toMatchObject({ redriven: expected.length });
  const pending = await outbox().find({ status: 'pending' }).toArray();
  expect(pending.map(({ _id }) => String(_id)).sort()).toStrictEqual(expected.map((index) => ids[index]).sort());
  for (const event of pending) {
    expect(event).toMatchObject({ attempts: 0 });
    for (const field of ['nextAttemptAt', 'deadAt', 'error']) expect(event).not.toHaveProperty(field);
  }
});

it('resets the trials and conflicts of the events', async () => {
  const eventId = await deadEvent('consumer-crashed');
  const trials = database.db.collection<TrialDocument>(trialCollection);
  const conflicts = database.db.collection<ConflictDocument>(conflictCollection);
  await beginTrial(trials, { eventIds: [eventId], alone: true, maxMillis: 0 });
  await countConflict(conflicts, eventId);
  await outgraph(['redrive', '--all'], settings());
  expect(await trials.countDocuments({ eventIds: new ObjectId(eventId) })).toBe(0);
  expect(await conflicts.countDocuments({ _id: new ObjectId(eventId) })).toBe(0);
});

it('the next run of the sweep publishes redriven events', async () => {
  const eventId = await deadEvent('payload-invalid');
  await outgraph(['redrive', '--all'], settings());
  const sent: string[] = [];
  const later = new Date(Date.now() + 120_000);
  await sweepOn(database.db, {
    readServerTime: async () => later,
    sendToQueue: async (packs) => {
      sent.push(...packs.flat().map(({ eventId }) => eventId));
      return [];
    },
  });
  expect(sent).toContain(eventId);
});

it('an older upsert redriven after the deletion of its aggregate leaves no ghost', async () => {
  const aggregateId = `${small.graph.label}-ghost`;
  const upsert = upsertEvent({ nodes: [small.node('ghost')] }, { aggregateId });
  const deletion = upsertEvent(null, { aggregateId });
  await outbox().insertOne(upsert);
  await markDead(outbox(), [{ eventId: upsert._id.toHexString(), code: 'payload-invalid', message: 'for a test' }]);
  await outbox().insertOne(deletion);
  await consumeAll();
  await outgraph(['redrive', '--all'], settings());
  expect(await countPending()).toBe(1);
  await consumeAll();
  expect(await outbox().findOne({ _id: upsert._id })).toMatchObject({ status: 'processed' });
  expect(await small.count(`MATCH (n:${small.graph.label}) RETURN count(n) AS value`)).toBe(0);
});

it('an event that claimed an owned node is applied if redriven after the owner releases it', async () => {
  const [holder, claimant] = ['holder', 'claimant'].map((name) => `${small.graph.label}-${name}`) as [string, string];
  const nodes = [small.node('contested')];
  const insert = (aggregateId: string, payload: Document) => outbox().insertOne(upsertEvent(payload, { aggregateId }));
  await insert(holder, { nodes });
  await consumeAll();
  await insert(claimant, { nodes });
  await consumeAll();
  expect(await outbox().findOne({ aggregateId: claimant })).toMatchObject({ error: { code: 'ownership-conflict' } });
  await insert(holder, { nodes: [] });
  await consumeAll();
  await outgraph(['redrive', '--code', 'ownership-conflict'], settings());
  await consumeAll();
  expect(await outbox().findOne({ aggregateId: claimant })).toMatchObject({ status: 'processed' });
  expect(await small.count(`MATCH (n:${small.graph.label}) RETURN count(n) AS value`)).toBe(1);
});

it('changes nothing without a confirmation, and the next run continues an interrupted one', async () => {
  for (let index = 0; index < 6; index += 1) await deadEvent('payload-invalid');
  const refused = await startOutgraph(['redrive', '--all'], settings()).ended;
  expect(refused.exitCode).toBe(3);
  expect(await countPending()).toBe(0);
  expect(refused.stderr).toContain('Makes 6 dead events pending again');

  const slow = startOutgraphProcess(['redrive', '--all', '--yes', '--json', '--rate', '0.5'], settings());
  await waitUntil(async () => ((await countPending()) > 0 ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'the first event to be redriven',
  });
  slow.interrupt();
  const { exitCode, stdout } = await slow.ended;
  expect(exitCode).toBe(130);
  const { redriven } = JSON.parse(stdout) as { redriven: number };
  expect(await countPending()).toBe(redriven);
  expect(redriven).toBeLessThan(6);
  await outgraph(['redrive', '--all'], settings());
  expect(await countPending()).toBe(6);
  await acknowledgeEvents(
    outbox(),
    (await outbox().find().toArray()).map(({ _id }) => String(_id)),
  );
});

/** Runs the worker until nothing is pending. */
async function consumeAll(): Promise<void> {
  const worker = startWorker(
    readSettings(workerSettings, {
      ...settings(),
      PUBLISHER_LEASE_SECONDS: '5',
      CONFLICT_MAX_RECEIVES: '1',
    }),
    catalog,
    { ...silentLog, failed: () => undefined },
  );
  await waitUntil(async () => ((await countPending()) === 0 ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'every event to be settled',
  });
  await worker.stop();
}
