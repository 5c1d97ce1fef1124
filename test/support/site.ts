/**
 * A small production of a test's own: documents that are written, an outbox, a Neo4j that can be stopped, and a worker
 * between them.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import { expect, test } from 'vitest';
import { compareGraph } from '../../demo/compare-graph.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { readSettings, workerSettings } from '../../lib/runtime/settings.ts';
import { setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { startWorker, type Worker } from '../../lib/worker/wiring.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { memoryEvent } from '../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../xmem/aggregates/memory-user.ts';
import { catalog } from '../../xmem/catalog.ts';
import { connectGraph } from './connect-graph.ts';
import { testOutboxId } from './outbox-id.ts';
import { servers } from './servers.ts';
import { silentLog } from './silent-log.ts';
import { type OwnNeo4j, takeNeo4j } from './take-neo4j.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** A Neo4j of the test file's own, set up. */
export interface SiteGraph {
  /** A new one after a restore: an older driver would wait for transactions that the restored server never had. */
  readonly driver: Driver;
  readonly neo4j: OwnNeo4j;
  /** Makes what is missing; also for a graph that a test has emptied. */
  readonly setUp: () => Promise<unknown>;
  /** Copies the data of the stopped server, as a dump or a snapshot would. */
  readonly backUp: (name: string) => Promise<void>;
  /** Puts a copy in the place of the data, and starts the server. */
  readonly restore: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Takes a Neo4j and sets it up. */
export async function startGraph(): Promise<SiteGraph> {
  const neo4j = await takeNeo4j();
  const connect = () => connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  let driver = connect();
  const setUp = () => setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  await setUp();
  const data = path.join(neo4j.folder, 'neo4j/data');
  const copies = await mkdtemp(path.join(neo4j.folder, 'copies-'));
  return {
    get driver() {
      return driver;
    },
    neo4j,
    setUp,
    backUp: async (name) => {
      await neo4j.stop();
      await cp(data, path.join(copies, name), { recursive: true });
      await neo4j.start();
    },
    restore: async (name) => {
      await neo4j.kill();
      await rm(data, { recursive: true });
      await cp(path.join(copies, name), data, { recursive: true });
      await neo4j.start();
      await driver.close();
      driver = connect();
    },
    close: async () => {
      await driver.close();
      await neo4j.release();
    },
  };
}

/** An outbox and a graph of the test file's own. */
export interface Site {
  readonly database: TestDatabase;
  readonly graph: SiteGraph;
}

/**
 * Tests on a site, which is made for the first of them and removed after the last; `worker` is a consumer that runs on
 * it.
 */
export const it = test
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures are needed
  .extend('site', { scope: 'file' }, async ({}, { onCleanup }): Promise<Site> => {
    const [database, graph] = await Promise.all([createTestDatabase(), startGraph()]);
    onCleanup(async () => {
      // First the workers: one that went on would write to the graph of the next file.
      await Promise.all([...workers].map((worker) => worker.stop()));
      await Promise.all([database.drop(), graph.close()]);
    });
    return { database, graph };
  })
  .extend('worker', { scope: 'file' }, ({ site }): Worker => startConsumer(site.database, site.graph));

/** All that this file has started. */
const workers = new Set<Worker>();

/** What a command or a worker is told of the site. */
export function settingsOf({ db }: Pick<TestDatabase, 'db'>, graph: SiteGraph): Record<string, string> {
  return { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: db.databaseName, NEO4J_URI: graph.neo4j.uri };
}

/** Starts the consumer's side; it takes all that is pending. */
export function startConsumer(database: TestDatabase, graph: SiteGraph): Worker {
  const quick = { WORKER_SWEEP_SECONDS: '1', SWEEP_STALE_SECONDS: '1', PUBLISHER_LEASE_SECONDS: '5' };
  const settings = { ...settingsOf(database, graph), ...quick };
  const worker = startWorker(readSettings(workerSettings, settings), catalog, {
    ...silentLog,
    failed: (part, error) => console.error('worker', part, error),
  });
  workers.add(worker);
  return worker;
}

export { createTestDatabase, type TestDatabase };

/** Resolves when no event is pending any more. */
export async function untilSettled(db: Db): Promise<void> {
  const pending = () => db.collection(outboxCollection).countDocuments({ status: 'pending', aggregateType: /^memory/ });
  await waitUntil(async () => ((await pending()) === 0 ? true : undefined), {
    timeoutSeconds: 90,
    pollMillis: 50,
    what: 'every event to be settled',
  });
}

/** The graph is what the documents say, and nothing is dead. */
export async function expectInStep(db: Db, graph: SiteGraph): Promise<void> {
  await untilSettled(db);
  const { differences, nodes } = await compareGraph(db, graph.driver, 'neo4j');
  expect(differences).toStrictEqual([]);
  expect(nodes.found).toBeGreaterThan(0);
  expect(await db.collection(outboxCollection).countDocuments({ status: 'dead' })).toBe(0);
}

/** What is in the graph that the documents do not say, and the other way round. */
export async function countDifferences(db: Db, graph: SiteGraph): Promise<number> {
  return (await compareGraph(db, graph.driver, 'neo4j')).differences.length;
}

const day = (number: number) =>
  `${String(1 + (number % 12)).padStart(2, '0')}-${String(1 + (number % 28)).padStart(2, '0')}`;

/** Writes as users do: new documents, changed ones and deleted ones of those that are there, `count` of each. */
export async function writeSome({ client, db }: TestDatabase, count: number): Promise<void> {
  const users = trackCollection(client, db, memoryUser);
  const events = trackCollection(client, db, memoryEvent);
  const known: readonly Document[] = await events.find({}, { limit: 2 * count, sort: { _id: -1 } }).toArray();
  const names = Array.from({ length: count }, () => new ObjectId().toHexString());
  await pMap(
    names,
    async (name, index) => {
      if (index % 5 === 0) await users.insertOne({ _id: new ObjectId(), user_id: name });
      await events.insertOne({ _id: new ObjectId(), user_id: name, date: day(index), event_name: 'new' });
    },
    { concurrency: 8 },
  );
  const changes = known.map((document, index) => async (): Promise<unknown> => {
    const one = { _id: document._id };
    return index % 2 === 0 ? events.updateOne(one, { $set: { date: day(index + 7) } }) : events.deleteOne(one);
  });
  await pMap(changes, (change) => change(), { concurrency: 8 });
}

/** Writes like {@link writeSome}, ten times a second, until it is stopped. */
export function writeSteadily(database: TestDatabase): { readonly stop: () => Promise<void> } {
  let isStopped = false;
  const writing = (async () => {
    while (!isStopped) await Promise.all([writeSome(database, 2), sleep(100)]);
  })();
  return {
    stop: () => {
      isStopped = true;
      return writing;
    },
  };
}

/** What a reader sees: every node but the registry's, with its properties. */
export async function readNodes({ driver }: SiteGraph): Promise<readonly string[]> {
  const { records } = await driver.executeQuery(
    'MATCH (n) WHERE NOT n:OutgraphAggregate RETURN labels(n) AS labels, properties(n) AS properties',
  );
  return records.map((record) => JSON.stringify([record.get('labels'), record.get('properties')], bigintText)).sort();
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
