/**
 * The last row of the crash table: a million events become pending while no part of outgraph runs,
 * then the worker drains them with a heap of 256 MB. Before that, the test explains every query on
 * the backlog and runs one pass of the sweep. Takes less than four minutes.
 */
import { type Collection, type Document, MongoClient } from 'mongodb';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { connectNeo4j } from '../../lib/graph/neo4j-connect.ts';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { countOutbox } from '../../lib/outbox/mongodb-measure.ts';
import { scanPending } from '../../lib/publisher/mongodb-backlog.ts';
import { countStale, findStale } from '../../lib/sweep/mongodb-find-stale.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { crashTable, rowTitle } from '../failures/crash-table.ts';
import { explainQueries } from '../support/explain-queries.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { type OwnDatabases, startOwnDatabases } from '../support/own-databases.ts';
import { MeasuredProcess } from './measured-process.ts';
import type { SweepPass } from './sweep-process.ts';

/** The number in the crash table. Fewer events take less time, but say less about memory. */
const backlog = 1_000_000;

const insertChunk = 5_000;
const insertsAtOnce = 3;
const label = 'BacklogNode';

/**
 * Less than the pointers of a million events take (340 MB): a process that held them all at once
 * would crash.
 */
const heapMegabytes = 256;
/**
 * The heap plus what Node uses for its own code, the young generation, compiled code and buffers.
 * Measured: 307 MB at the end of a million events, 297 MB after the first quarter.
 */
const memoryMegabytes = 400;

/** A short pass. It must end in time with any amount of work. */
const sweepMillis = 20_000;

const testMillis = 900_000;

let databases: OwnDatabases;
let client: MongoClient;
let outbox: Collection<Document>;
beforeAll(async () => {
  databases = await startOwnDatabases();
  client = new MongoClient(databases.environment.MONGODB_URI);
  outbox = client.db(databases.environment.MONGODB_DATABASE).collection(outboxCollection);
  await writeBacklog();
}, testMillis);
afterAll(async () => {
  await client?.close();
  await databases?.stop();
}, testMillis);

describe('a backlog of a million events', () => {
  const workOf = (run: (outbox: Collection<Document>, client: MongoClient) => Promise<unknown>) =>
    explainQueries(databases.environment.MONGODB_URI, databases.environment.MONGODB_DATABASE, (db) =>
      run(db.collection(outboxCollection), db.client),
    );

  it('is read by the publisher in index order, and nothing else is read', async () => {
    const chunk = async (from: Collection<Document>, connected: MongoClient) => {
      const until = await readClusterTime(connected, from);
      return scanPending(connected, from, { until, after: null }, 500);
    };
    // It reads one event more than it returns, to see whether another chunk follows.
    const [, work] = await workOf(chunk);
    expect(work).toStrictEqual(reads('find', 'outgraph_pending', { keys: 501, documents: 501 }));
  });

  it('is found stale chunk by chunk, and counted in the index only', async () => {
    const now = new Date();
    const staleBefore = new Date(now.getTime() + 60_000);
    const page = (from: Collection<Document>) => findStale(from, { staleBefore, dueBy: now, after: null, limit: 500 });
    expect(await workOf(page)).toStrictEqual([reads('find', 'outgraph_pending', { keys: 500, documents: 500 })]);
    const all = (from: Collection<Document>) => countStale(from, staleBefore, 2 * backlog);
    expect(await workOf(all)).toStrictEqual([
      reads('aggregate', 'outgraph_pending', { keys: backlog + 1, documents: 0 }),
    ]);
  });

  it('is measured in the indexes only', async () => {
    expect(await workOf((from) => countOutbox(from, 2 * backlog))).toStrictEqual([
      reads('find', 'outgraph_pending', { keys: 1, documents: 1 }),
      reads('aggregate', 'outgraph_unsettled', { keys: 1, documents: 0 }),
      reads('aggregate', 'outgraph_unsettled', { keys: 1, documents: 0 }),
      reads('aggregate', 'outgraph_pending', { keys: backlog + 1, documents: 0 }),
      reads('aggregate', 'outgraph_dead', { keys: 1, documents: 0 }),
    ]);
    expect(await countOutbox(outbox, 2 * backlog)).toMatchObject({ pending: backlog, dead: 0 });
  });

  it('is swept within the time and memory of one pass while nothing drains', { timeout: testMillis }, async () => {
    const env = { ...databases.environment, SWEEP_STALE_SECONDS: '1', PASS_MILLIS: String(sweepMillis) };
    const sweep = new MeasuredProcess({ script: ['test/nightly/sweep-process.ts'], heapMegabytes, env });
    const waiting = { timeoutSeconds: 60, pollMillis: 50, what: 'the pass to end' };
    const line = await waitUntil(async () => sweep.lines[0], waiting).finally(() => sweep.expectAlive());
    const pass = JSON.parse(line) as SweepPass;
    const peak = await sweep.peakMegabytes();
    await sweep.stop();
    printLine(`one pass republished ${pass.sent} in ${(pass.millis / 1000).toFixed(1)} s, with ${peak.toFixed(0)} MB`);
    expect(pass).toMatchObject({ republished: pass.sent, refused: 0, exhausted: 0, dead: 0, failures: [] });
    expect(pass.sent).toBeGreaterThan(0);
    expect(pass.millis).toBeLessThan(sweepMillis);
    expect(peak).toBeLessThan(memoryMegabytes);
  });
});

it(rowTitle(crashTable.millionPending), { timeout: testMillis }, async () => {
  const startedAt = performance.now();
  const env = { ...databases.environment, POWERTOOLS_LOG_LEVEL: 'WARN', OUTGRAPH_CATALOG: 'xmem/catalog.ts' };
  const worker = new MeasuredProcess({
    script: ['cli/outgraph.ts', 'worker', '--port', '0'],
    heapMegabytes,
    env,
  });
  try {
    await untilDrained(worker);
    const seconds = (performance.now() - startedAt) / 1000;
    const peak = await worker.peakMegabytes();
    printLine(
      `drained in ${seconds.toFixed(0)} s, ${(backlog / seconds).toFixed(0)} per second, with ${peak.toFixed(0)} MB`,
    );
    expect(peak).toBeLessThan(memoryMegabytes);
  } finally {
    expect(await worker.stop()).toBe(0);
  }
  expect(await outbox.countDocuments(ofBacklog('processed'))).toBe(backlog);
  expect(await outbox.countDocuments({ status: 'dead' })).toBe(0);
  expect(await countNodes()).toBe(backlog);
});

/** The expected work of one query: this index, and at most these reads. */
function reads(command: string, index: string, limit: { readonly keys: number; readonly documents: number }) {
  return {
    command,
    indexes: [index],
    keys: expect.toSatisfy((keys: number) => keys <= limit.keys, `at most ${limit.keys} keys`),
    documents: expect.toSatisfy((documents: number) => documents <= limit.documents, `at most ${limit.documents}`),
  };
}

function ofBacklog(status: string): Document {
  return { status, aggregateType: 'graph' };
}

/** The outage: writes valid events that nothing consumes. */
async function writeBacklog(): Promise<void> {
  const startedAt = performance.now();
  let written = 0;
  const insert = async (first: number) => {
    const events = Array.from({ length: insertChunk }, (_, index) => {
      const id = `n${first + index}`;
      return upsertEvent({ nodes: [{ label, key: { id } }], relationships: [] }, { aggregateId: id });
    });
    await outbox.insertMany(events, { ordered: false });
    written += events.length;
    if (written % 100_000 === 0) printLine(`${written} of ${backlog} events written`);
  };
  const firsts = Array.from({ length: backlog / insertChunk }, (_, index) => index * insertChunk);
  await pMap(firsts, insert, { concurrency: insertsAtOnce });
  printLine(`written in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Resolves once no event of the backlog is pending. Prints its progress from time to time. */
async function untilDrained(worker: MeasuredProcess): Promise<void> {
  let shownAt = 0;
  const drained = async () => {
    worker.expectAlive();
    const pending = await outbox.countDocuments(ofBacklog('pending'), { hint: 'outgraph_pending' });
    if (performance.now() - shownAt > 10_000) {
      shownAt = performance.now();
      printLine(`${pending} pending, peak memory ${(await worker.peakMegabytes()).toFixed(0)} MB`);
    }
    return pending === 0 || undefined;
  };
  await waitUntil(drained, { timeoutSeconds: testMillis / 1000, pollMillis: 2_000, what: 'the backlog to drain' });
}

async function countNodes(): Promise<number> {
  const { NEO4J_URI: uri, NEO4J_USERNAME: username, NEO4J_PASSWORD: password } = databases.environment;
  const driver = connectNeo4j({ uri, username, password });
  try {
    const { records } = await driver.executeQuery(`MATCH (n:${label}) RETURN count(n) AS count`);
    return Number(records[0]?.get('count'));
  } finally {
    await driver.close();
  }
}

function printLine(line: string): void {
  process.stderr.write(`  ${line}\n`);
}
