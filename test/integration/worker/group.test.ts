/**
 * Several workers that share an outbox, on real servers: who applies what, and what happens when
 * one joins, stops, or is a worker of a version that shares nothing.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { acquireLease, type Checkpoint, releaseLease, saveCheckpoint } from '../../../lib/publisher/mongodb-lease.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { type GroupLease, groupLease, joinGroup } from '../../../lib/worker/mongodb-group-lease.ts';
import { Share } from '../../../lib/worker/share.ts';
import { startWorker, type Worker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  small = await openSmallGraph();
});
afterAll(() => small.clear());

async function openDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

function start({ settings }: TestDatabase, leaseSeconds = 5): Worker {
  const own = { ...settings, PUBLISHER_LEASE_SECONDS: String(leaseSeconds) };
  const worker = startWorker(readSettings(workerSettings, own), catalog, { ...silentLog, failed: () => undefined });
  onTestFinished(worker.stop);
  return worker;
}

const leasesOf = ({ db }: TestDatabase) => db.collection<GroupLease>(checkpointCollection);

/** Writes events of new aggregates, each with one node. */
async function write({ db }: TestDatabase, count: number): Promise<void> {
  const events = Array.from({ length: count }, () => {
    const id = randomUUID();
    return upsertEvent({ nodes: [small.node(id)] }, { aggregateId: `${small.graph.label}-${id}` });
  });
  await db.collection(outboxCollection).insertMany(events, { writeConcern: { w: 'majority' } });
}

const until = (what: string, check: () => Promise<boolean> | boolean, timeoutSeconds = 60) =>
  waitUntil(async () => (await check()) || undefined, { timeoutSeconds, pollMillis: 10, what });
const untilSettled = ({ db }: TestDatabase) =>
  until(
    'every event to be settled',
    async () => (await db.collection(outboxCollection).countDocuments({ status: 'pending' })) === 0,
  );
const untilWorkers = (workers: readonly Worker[]) =>
  until(`${workers.length} workers to see each other`, () =>
    workers.every((worker) => worker.health().workers === workers.length),
  );

it('each worker applies a part, and together they apply every event once', async () => {
  const database = await openDatabase();
  const workers = [start(database), start(database), start(database)];
  await untilWorkers(workers);
  await write(database, 900);
  await untilSettled(database);
  const applied = () => workers.map((worker) => worker.health().applied);
  await until('the workers to count them', () => applied().reduce((sum, one) => sum + one) >= 900);
  expect(applied().reduce((sum, one) => sum + one)).toBe(900);
  expect(Math.min(...applied())).toBeGreaterThan(200);
});

it('a backlog is shared too, by workers that start together', async () => {
  const database = await openDatabase();
  await write(database, 3_000);
  const workers = [start(database), start(database)];
  await untilSettled(database);
  expect(workers.map((worker) => worker.health().applied > 0)).toStrictEqual([true, true]);
});

it('when a worker stops, the others apply its events long before its lease would expire', async () => {
  const database = await openDatabase();
  const leaseSeconds = 600;
  const workers = [start(database, leaseSeconds), start(database, leaseSeconds)] as const;
  await untilWorkers(workers);
  await write(database, 2_000);
  await workers[0].stop();
  await write(database, 100);
  await untilSettled(database);
  expect(workers[1].health().workers).toBe(1);
  await workers[1].stop();
  expect(await leasesOf(database).findOne({ _id: groupLease })).toMatchObject({
    members: [],
    owner: null,
    leaseExpiresAt: new Date(0),
  });
});

it('an entry without a process is counted out after its lease, and its events are applied', async () => {
  const database = await openDatabase();
  const checkpoints = database.db.collection<Checkpoint>(checkpointCollection);
  const dead = new Share();
  expect(await joinGroup(dead, () => false)(checkpoints, 3)()).not.toBeNull();
  const worker = start(database, 3);
  await until('the worker to see the entry', () => worker.health().workers === 2);
  await write(database, 400);
  await until('the part of the worker', () => worker.health().applied > 0);
  await untilSettled(database);
  expect(worker.health()).toMatchObject({ workers: 1, dead: 0 });
});

it('the lease is lost when a member has left, and is not when one has joined', async () => {
  const database = await openDatabase();
  const checkpoints = database.db.collection<Checkpoint>(checkpointCollection);
  const stopping = new Set<Share>();
  const shares = [new Share(), new Share()] as const;
  const [first, second] = shares.map((share) => joinGroup(share, () => stopping.has(share))(checkpoints, 0.3));
  const progress = { tail: { after: '0:0' }, backlog: null } as never;
  const lease = await first?.();
  const other = await second?.();
  expect([shares[0].workers, shares[1].workers]).toStrictEqual([1, 2]);
  // Renewals are at least a third of the lease apart.
  const renewed = (expected: boolean) =>
    until(`a renewal to return ${expected}`, async () => (await lease?.save(progress)) === expected, 5);
  await until('the first to see the second', async () => {
    expect(await lease?.save(progress)).toBe(true);
    await other?.save(progress);
    return shares[0].workers === 2;
  });
  // A publisher that failed does not leave.
  await other?.release();
  expect((await leasesOf(database).findOne({ _id: groupLease }))?.members).toHaveLength(2);
  stopping.add(shares[1]);
  await other?.release();
  await renewed(false);
  expect(shares[0].workers).toBe(1);
});

it('workers stand by while a worker of an older version holds the lease, then take over', async () => {
  const database = await openDatabase();
  const checkpoints = database.db.collection<Checkpoint>(checkpointCollection);
  const older = await acquireLease(checkpoints, { id: groupLease, owner: 'older', leaseSeconds: 60 });
  if (older === null) throw new Error('The lease is taken.');
  const workers = [start(database), start(database)];
  await until('both to stand by', () => workers.every((worker) => worker.health().publisher === 'standby'));
  expect(workers.map((worker) => worker.health().workers)).toStrictEqual([0, 0]);
  await write(database, 200);
  expect(await saveCheckpoint(checkpoints, older, 60, { tail: { resumeToken: {} }, backlog: null })).toBe(true);
  await releaseLease(checkpoints, older);
  await untilSettled(database);
  await untilWorkers(workers);

  // The older one finds the lease taken, also if it still believes that it holds it.
  const late = await acquireLease(checkpoints, { id: groupLease, owner: 'late', leaseSeconds: 60 });
  expect(late).toBeNull();
  expect(await saveCheckpoint(checkpoints, older, 60, { tail: { resumeToken: {} }, backlog: null })).toBe(false);

  // It takes over once they have stopped, and they stand by again.
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(await acquireLease(checkpoints, { id: groupLease, owner: 'older', leaseSeconds: 60 })).not.toBeNull();
  const again = start(database);
  await until('the worker to stand by', () => again.health().publisher === 'standby');
});

it('workers join again when an operator has removed the checkpoints', async () => {
  const database = await openDatabase();
  const workers = [start(database), start(database)];
  await untilWorkers(workers);
  await leasesOf(database).deleteMany({});
  await write(database, 200);
  await untilSettled(database);
  await until(
    'both to be back',
    async () => (await leasesOf(database).findOne({ _id: groupLease }))?.members?.length === 2,
  );
});
