/**
 * Every query of the sweep on an outbox of 40,000 events: which index it uses, and how much it
 * reads.
 */
import { type Document, Int32, Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeadSelection } from '../../../cli/dead/dead-event.ts';
import { listDead } from '../../../cli/dead/read-dead.ts';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import { countOutbox, readApplyLags, readLastProcessed } from '../../../lib/outbox/mongodb-measure.ts';
import { readWaitingCanaries, settleCanariesBefore } from '../../../lib/sweep/mongodb-canaries.ts';
import { countStale, findStale } from '../../../lib/sweep/mongodb-find-stale.ts';
import { unsettledAggregates } from '../../../lib/sweep/mongodb-unsettled-aggregates.ts';
import type { StaleQuery } from '../../../lib/sweep/stale-event.ts';
import { explainQueries, type QueryWork } from '../../support/explain-queries.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const inBackOff = 20_000;
const due = 300;
const fresh = 5_000;
const processed = 10_000;
const dead = 5_000;
const canaries = 5;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await insert(inBackOff, (index) => ({
    position: at(1_000, index),
    attempts: new Int32(1),
    nextAttemptAt: new Date(now.getTime() + 600_000),
  }));
  await insert(due, (index) => ({ position: at(2_000, index) }));
  await insert(fresh, (index) => ({ position: at(9_000, index) }));
  await insert(processed, (index) => ({ status: 'processed', processedAt: new Date(now.getTime() - index) }));
  await insert(dead, (index) => ({
    aggregateId: index < 1_000 ? 'often-dead' : `dead-${index}`,
    status: 'dead',
    deadAt: now,
    error: { code: 'test', message: 'wrong' },
  }));
  await insert(canaries, () => ({ ...canaryAggregate, operation: 'upsert', payload: {} }));
});
afterAll(() => database.drop());

const now = new Date();
const at = (seconds: number, index: number) => new Timestamp({ t: seconds, i: index + 1 });
const staleBefore = new Date(5_000_000);
const insert = (count: number, fields: (index: number) => Document) =>
  database.db
    .collection(outboxCollection)
    .insertMany(Array.from({ length: count }, (_, index) => outboxEvent(fields(index))));

/** The work of each query that an operation sends to the outbox. */
const workOf = (run: (outbox: ReturnType<TestDatabase['db']['collection']>) => Promise<unknown>) =>
  explainQueries(servers.mongodbUri, database.db.databaseName, (db) => run(db.collection(outboxCollection)));

const by = (index: string, limit: { readonly keys: number; readonly documents: number }, command = 'find') => ({
  command,
  indexes: [index],
  keys: expect.toSatisfy((keys: number) => keys <= limit.keys, `at most ${limit.keys} keys`),
  documents: expect.toSatisfy(
    (documents: number) => documents <= limit.documents,
    `at most ${limit.documents} documents`,
  ),
});

describe('stale events', () => {
  const page = (fields: Partial<StaleQuery>) =>
    workOf((outbox) => findStale(outbox, { staleBefore, dueBy: now, after: null, limit: 100, ...fields }));

  it('are found behind thousands in back-off without reading these or fresh ones', async () => {
    expect(await page({})).toStrictEqual([by('outgraph_pending', { keys: inBackOff + 101, documents: 100 })]);
    expect(await page({ limit: 10_000 })).toStrictEqual([
      by('outgraph_pending', { keys: inBackOff + due + 2, documents: due }),
    ]);
  });

  it('are found from the end of the last chunk, without reading earlier ones again', async () => {
    const after = toPosition({ t: 2_000, i: 100 });
    expect(await page({ after })).toStrictEqual([by('outgraph_pending', { keys: 101, documents: 100 })]);
  });

  it('are counted in the index only, up to the given limit', async () => {
    expect(await workOf((outbox) => countStale(outbox, staleBefore, 1_000))).toStrictEqual([
      by('outgraph_pending', { keys: 1_001, documents: 0 }, 'aggregate'),
    ]);
    expect(await workOf((outbox) => countStale(outbox, staleBefore, 1_000_000))).toStrictEqual([
      by('outgraph_pending', { keys: inBackOff + due + 1, documents: 0 }, 'aggregate'),
    ]);
  });
});

describe('the counts', () => {
  it('read only indexes, except for canaries', async () => {
    const few = { keys: canaries + 1, documents: canaries + 1 };
    expect(await workOf((outbox) => countOutbox(outbox, 1_000_000))).toStrictEqual([
      by('outgraph_pending', few),
      by('outgraph_unsettled', few, 'aggregate'),
      by('outgraph_unsettled', few, 'aggregate'),
      by('outgraph_pending', { keys: inBackOff + due + fresh + canaries + 1, documents: 0 }, 'aggregate'),
      by('outgraph_dead', { keys: dead + 1, documents: 0 }, 'aggregate'),
    ]);
  });

  it('are right', async () => {
    expect(await countOutbox(database.db.collection(outboxCollection), 1_000_000)).toStrictEqual({
      pending: inBackOff + due + fresh,
      pendingCanaries: canaries,
      dead,
      oldestPending: new Date(1_000_000),
    });
  });

  it('read one event for the last settlement, and one per lag', async () => {
    expect(await workOf(readLastProcessed)).toStrictEqual([by('outgraph_purge', { keys: 1, documents: 1 })]);
    const minute = new Date(now.getTime() - 60_000);
    expect(await workOf((outbox) => readApplyLags(outbox, minute, 500))).toStrictEqual([
      by('outgraph_purge', { keys: 500, documents: 500 }),
    ]);
    const instant = new Date(now.getTime() - 99);
    expect(await workOf((outbox) => readApplyLags(outbox, instant, 10_000))).toStrictEqual([
      by('outgraph_purge', { keys: 101, documents: 100 }),
    ]);
  });
});

it('dead events are grouped and listed by index, and only the listed ones are read twice', async () => {
  const all = { codes: [], aggregateTypes: [], eventIds: [] };
  // The two queries are sent at the same time.
  const work = async (selection: DeadSelection) =>
    (await explainQueries(servers.mongodbUri, database.db.databaseName, (db) => listDead(db, selection, 20))).toSorted(
      (one, other) => one.command.localeCompare(other.command),
    );
  expect(await work(all)).toStrictEqual([
    by('outgraph_dead', { keys: dead + 1, documents: dead }, 'aggregate'),
    by('outgraph_dead', { keys: 20, documents: 20 }),
  ]);
  const one = await database.db.collection(outboxCollection).findOne({ status: 'dead' });
  expect(await work({ ...all, eventIds: [String(one?._id)] })).toStrictEqual([
    { ...by('_id_', { keys: 2, documents: 1 }, 'aggregate'), indexes: expect.arrayContaining(['_id_']) },
    { ...by('_id_', { keys: 2, documents: 1 }), indexes: expect.arrayContaining(['_id_']) },
  ]);
});

it('canaries are found and settled without reading other aggregates', async () => {
  const few = { keys: canaries + 1, documents: canaries };
  const [oldest, count] = await workOf((outbox) => readWaitingCanaries(outbox, 10));
  expect({ oldest, count }).toStrictEqual({
    oldest: by('outgraph_unsettled', { keys: 1, documents: 1 }),
    count: by('outgraph_unsettled', few, 'aggregate'),
  });
  const settled = await workOf((outbox) => settleCanariesBefore(outbox, toPosition({ t: 1, i: 1 })));
  expect(settled).toStrictEqual([by('outgraph_unsettled', { keys: 1, documents: 0 }, 'update')]);
});

it('each unsettled aggregate is returned once, and nothing else is read', async () => {
  const keys = ['graph:often-dead', 'graph:dead-4000', 'graph:gone', 'memory-user:gone'];
  let found: unknown;
  const work: readonly QueryWork[] = await workOf(async (outbox) => {
    found = await unsettledAggregates(outbox, keys);
  });
  expect(found).toStrictEqual(new Set(['graph:often-dead', 'graph:dead-4000']));
  expect(work).toStrictEqual([
    by('outgraph_unsettled', { keys: 1_006, documents: 1_001 }, 'aggregate'),
    by('outgraph_unsettled', { keys: 1, documents: 0 }, 'aggregate'),
  ]);
});
