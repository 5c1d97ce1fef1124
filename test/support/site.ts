/** A small production of a test's own: documents that are written, an outbox, a Neo4j that can be stopped, and a worker between them. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Db, type Document, ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import { expect } from 'vitest';
import { compareGraph } from '../../demo/compare-graph.ts';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../infra/local/neo4j.ts';
import { printStep } from '../../infra/local/progress.ts';
import { waitUntil } from '../../infra/local/wait-until.ts';
import { aggregates } from '../../lib/aggregates/catalog.ts';
import { memoryEvent } from '../../lib/aggregates/memory-event.ts';
import { memoryUser } from '../../lib/aggregates/memory-user.ts';
import { readSettings, workerSettings } from '../../lib/config/settings.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { setUpGraph } from '../../lib/neo4j/set-up-graph.ts';
import { startWorker, type Worker } from '../../lib/wiring/worker.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { connectGraph } from './connect-graph.ts';
import { servers } from './servers.ts';
import { silentLog } from './silent-log.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** A graph with its own server and data folder, set up. */
export interface SiteGraph {
  /** Anew after a restore: an older driver would wait for transactions that the restored server never had. */
  readonly driver: Driver;
  readonly neo4j: RestartableNeo4j;
  /** Copies the data of the stopped server, as a dump or a snapshot would. */
  readonly backUp: (name: string) => Promise<void>;
  /** Puts a copy in the place of the data, and starts the server. */
  readonly restore: (name: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Starts a Neo4j and sets it up. */
export async function startGraph(): Promise<SiteGraph> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-runbook-'));
  const neo4j = await startRestartableNeo4j(folder, printStep, new AbortController().signal);
  const connect = () => connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  let driver = connect();
  await setUpGraph(driver, 'neo4j', aggregates);
  const data = path.join(folder, 'neo4j/data');
  return {
    get driver() {
      return driver;
    },
    neo4j,
    backUp: async (name) => {
      await neo4j.server.stop();
      await cp(data, path.join(folder, name), { recursive: true });
      await neo4j.server.start();
    },
    restore: async (name) => {
      await neo4j.server.stop();
      await rm(data, { recursive: true });
      await cp(path.join(folder, name), data, { recursive: true });
      await neo4j.server.start();
      await driver.close();
      driver = connect();
    },
    remove: async () => {
      await driver.close();
      await neo4j.server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a command or a worker is told of the site. */
export function settingsOf({ db }: Pick<TestDatabase, 'db'>, graph: SiteGraph): Record<string, string> {
  return { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: db.databaseName, NEO4J_URI: graph.neo4j.uri };
}

/** Starts the consumer's side; it takes all that is pending. */
export function startConsumer(database: TestDatabase, graph: SiteGraph): Worker {
  const quick = { WORKER_SWEEP_SECONDS: '1', SWEEP_STALE_SECONDS: '1', PUBLISHER_LEASE_SECONDS: '5' };
  const settings = { ...settingsOf(database, graph), ...quick };
  return startWorker(readSettings(workerSettings, settings), aggregates, {
    ...silentLog,
    failed: (part, error) => console.error('worker', part, error),
  });
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
