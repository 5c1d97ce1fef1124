/**
 * A small production environment for one test: documents, an outbox, a Neo4j that can be stopped,
 * and a worker between them.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import { expect, onTestFinished, test } from 'vitest';
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

/** The test file's own Neo4j, set up. */
export interface SiteGraph {
  /**
   * The driver, which a restore replaces: the old one would wait for transactions that the restored
   * server never had.
   */
  readonly driver: Driver;
  readonly neo4j: OwnNeo4j;
  /** Creates what is missing, for example in a graph that a test has emptied. */
  readonly setUp: () => Promise<unknown>;
  /** Stops the server and copies its data, like a dump or a snapshot. */
  readonly backUp: (name: string) => Promise<void>;
  /** Replaces the data by a copy, and starts the server. */
  readonly restore: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Takes a Neo4j from the pool and sets it up. */
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

/** The test file's own outbox and graph. */
export interface Site {
  readonly database: TestDatabase;
  readonly graph: SiteGraph;
}

/**
 * Tests with a site, which is created for the first test and removed after the last. `worker` is a
 * consumer that runs on it.
 */
export const it = test
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures are needed
  .extend('site', { scope: 'file' }, async ({}, { onCleanup }): Promise<Site> => {
    const [database, graph] = await Promise.all([createTestDatabase(), startGraph()]);
    onCleanup(async () => {
      // Stops the workers first: one that continues would write to the graph of the next file.
      await Promise.all([...workers].map((worker) => worker.stop()));
      await Promise.all([database.drop(), graph.close()]);
    });
    return { database, graph };
  })
  .extend('worker', { scope: 'file' }, ({ site }): Worker => startConsumer(site.database, site.graph));

/** All workers that this file has started. */
const workers = new Set<Worker>();

/** The settings with which a command or a worker reaches the site. */
export function settingsOf({ db }: Pick<TestDatabase, 'db'>, graph: SiteGraph): Record<string, string> {
  return { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: db.databaseName, NEO4J_URI: graph.neo4j.uri };
}

/** Starts a worker, which consumes everything that is pending. */
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

/** Resolves once no event is pending. */
export async function untilSettled(db: Db): Promise<void> {
  const pending = () => db.collection(outboxCollection).countDocuments({ status: 'pending', aggregateType: /^memory/ });
  await waitUntil(async () => ((await pending()) === 0 ? true : undefined), {
    timeoutSeconds: 90,
    pollMillis: 50,
    what: 'every event to be settled',
  });
}

/** Checks that the graph matches the documents and that no event is dead. */
export async function expectInStep(db: Db, graph: SiteGraph): Promise<void> {
  await untilSettled(db);
  const { differences, nodes } = await compareGraph(db, graph.driver, 'neo4j');
  expect(differences).toStrictEqual([]);
  expect(nodes.found).toBeGreaterThan(0);
  expect(await db.collection(outboxCollection).countDocuments({ status: 'dead' })).toBe(0);
}

/** Counts the elements that are in the graph but not in the documents, and vice versa. */
export async function countDifferences(db: Db, graph: SiteGraph): Promise<number> {
  return (await compareGraph(db, graph.driver, 'neo4j')).differences.length;
}

const day = (number: number) =>
  `${String(1 + (number % 12)).padStart(2, '0')}-${String(1 + (number % 28)).padStart(2, '0')}`;

/**
 * Writes as users do: inserts new documents, and changes and deletes existing ones, `count` of
 * each.
 */
export async function writeSome({ client, db }: Pick<TestDatabase, 'client' | 'db'>, count: number): Promise<void> {
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

/**
 * Writes like {@link writeSome}, four times a second, until it is stopped. More would slow down all
 * tests that run meanwhile.
 */
export function writeSteadily(database: Pick<TestDatabase, 'client' | 'db'>): { readonly stop: () => Promise<void> } {
  let isStopped = false;
  const writing = (async () => {
    while (!isStopped) await Promise.all([writeSome(database, 2), sleep(250)]);
  })();
  const stop = () => {
    isStopped = true;
    return writing;
  };
  onTestFinished(stop);
  return { stop };
}

/** The nodes that a reader sees: all except the registry's, with their properties. */
export async function readNodes({ driver }: SiteGraph): Promise<readonly string[]> {
  const { records } = await driver.executeQuery(
    'MATCH (n) WHERE NOT n:OutgraphAggregate RETURN labels(n) AS labels, properties(n) AS properties',
  );
  return records.map((record) => JSON.stringify([record.get('labels'), record.get('properties')], bigintText)).sort();
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
