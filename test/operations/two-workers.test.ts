/**
 * The rows of the crash table about two workers that share an outbox. Each worker is a process
 * behind proxies of its own, so that one of them ends at one exact message. Neither the sweep nor a
 * restart takes part: the events of a worker that died must come from the other one.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { runFolder } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../tools/local/restartable-mongodb.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { crashTable, rowTitle } from '../failures/crash-table.ts';
import { mongodbCommand } from '../support/mongodb-messages.ts';
import { shareOutboxId } from '../support/outbox-id.ts';
import { expectInStep, type SiteGraph, startGraph, writeSteadily } from '../support/site.ts';
import { neo4jBegin, neo4jCommit, type Stop, TcpProxy } from '../support/tcp-proxy.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';

let mongodb: RestartableReplicaSet;
/** One in front of each member of MongoDB, for all workers. */
const members: TcpProxy[] = [];
let graph: SiteGraph;
let client: MongoClient;
let db: Db;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const folder = runFolder();
  const logsFolder = path.join(folder, 'logs');
  await mkdir(logsFolder, { recursive: true });
  undo.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const addressOf = async (port: number) => {
    const proxy = await TcpProxy.start(port);
    members.push(proxy);
    undo.push(() => proxy.close());
    return `127.0.0.1:${proxy.port}`;
  };
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder, members: 3, addressOf });
  undo.push(mongodb.stop);
  graph = await startGraph();
  undo.push(graph.close);
  client = new MongoClient(mongodb.uri);
  undo.push(() => client.close());
  db = client.db('two_workers');
  await shareOutboxId(db);
  await setUpOutbox(db, { processedRetentionSeconds: 3_600 });
});
afterAll(async () => {
  for (const one of undo.reverse()) await one();
});

/** A worker, and what can stop it. */
interface ProxiedWorker {
  readonly process: WorkerProcess;
  /** Stops once at a message of this worker. Resolves when the action is done. */
  readonly stopOnce: (step: Step, act: 'kill' | 'pause') => Promise<void>;
}

type Step = Omit<Stop, 'act'> & { readonly to: 'mongodb' | 'neo4j' };

const fetch: Step = { to: 'mongodb', at: mongodbCommand('find', 'outbox', '$in'), before: 'reply' };
const commit: Step = { to: 'neo4j', at: neo4jCommit, before: 'request' };
const acknowledgement = mongodbCommand('update', 'outbox', 'processedAt');
const renewal = mongodbCommand('findAndModify', 'outboxCheckpoints');
const steps: Readonly<Record<string, Step>> = {
  tail: { to: 'mongodb', at: mongodbCommand('collection', 'outbox', 'getMore'), before: 'request' },
  'tail, with events read': { to: 'mongodb', at: mongodbCommand('collection', 'outbox', 'getMore'), before: 'reply' },
  fetch,
  'begin of the transaction': { to: 'neo4j', at: neo4jBegin, before: 'reply' },
  commit,
  'commit, done': { ...commit, before: 'reply' },
  acknowledgement: { to: 'mongodb', at: acknowledgement, before: 'request' },
  'acknowledgement, done': { to: 'mongodb', at: acknowledgement, before: 'reply' },
  renewal: { to: 'mongodb', at: renewal, before: 'request' },
  'renewal, done': { to: 'mongodb', at: renewal, before: 'reply' },
};

/** No sweep takes part: it would find an event only after hours. */
const withoutSweep = { WORKER_SWEEP_SECONDS: '36000', SWEEP_STALE_SECONDS: '36000' };
const settings = () => ({
  ...withoutSweep,
  MONGODB_URI: mongodb.uri,
  MONGODB_DATABASE: db.databaseName,
  NEO4J_URI: graph.neo4j.uri,
  PUBLISHER_LEASE_SECONDS: '2',
});

/** Starts a worker with proxies to the primary and to Neo4j. */
async function startProxied(): Promise<ProxiedWorker> {
  const { me } = await client.db().admin().command({ hello: 1 });
  const proxies = {
    mongodb: await TcpProxy.start(Number(me.split(':')[1])),
    neo4j: await TcpProxy.start(Number(new URL(graph.neo4j.uri).port)),
  };
  undo.push(...Object.values(proxies).map((proxy) => () => proxy.close()));
  const process = await startWorkerProcess({
    ...settings(),
    MONGODB_URI: `mongodb://127.0.0.1:${proxies.mongodb.port}/?directConnection=true`,
    NEO4J_URI: `bolt://127.0.0.1:${proxies.neo4j.port}`,
  });
  return {
    process,
    stopOnce: ({ to, ...stop }, act) =>
      proxies[to].stopOnce({
        ...stop,
        act: () => {
          process[act]();
          return act === 'kill' ? 'cut' : 'pass';
        },
      }),
  };
}

const until = (what: string, check: () => Promise<boolean>) =>
  waitUntil(async () => (await check()) || undefined, { timeoutSeconds: 90, pollMillis: 50, what });

const untilSharing = (workers: readonly WorkerProcess[]) =>
  until(`${workers.length} workers to see each other`, async () => {
    const states = await Promise.all(workers.map((worker) => worker.readiness().catch(() => null)));
    return states.every((state) => state?.workers === workers.length);
  });

/** Waits until the events that are pending now are settled. */
async function untilPendingSettled(): Promise<void> {
  const outbox = db.collection(outboxCollection);
  const pending = await outbox.find({ status: 'pending' }).project({ _id: 1 }).toArray();
  const ids = pending.map(({ _id }) => _id);
  await until(
    'the pending events to be settled',
    async () => (await outbox.countDocuments({ _id: { $in: ids }, status: 'pending' })) === 0,
  );
}

/** Writes while two workers share the outbox, one of which the act may replace. */
async function withTwoWorkers(act: (workers: [ProxiedWorker, ProxiedWorker]) => Promise<void>): Promise<void> {
  const workers: [ProxiedWorker, ProxiedWorker] = [await startProxied(), await startProxied()];
  const writing = writeSteadily({ client, db });
  await untilSharing(workers.map(({ process }) => process));
  await act(workers);
  await writing.stop();
  await expectInStep(db, graph);
  for (const { process } of workers) expect(await process.terminate()).toMatchObject({ exitCode: 0 });
}

it(rowTitle(crashTable.workerKilled), () =>
  withTwoWorkers(async (workers) => {
    for (const [index, [name, step]] of Object.entries(steps).entries()) {
      const [killed, other] = index % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
      await workers[killed].stopOnce(step, 'kill');
      await untilPendingSettled();
      expect(await workers[other].process.readiness(), name).toMatchObject({ publisher: 'tail', dead: 0 });
      workers[killed] = await startProxied();
      await untilSharing(workers.map(({ process }) => process));
    }
  }),
);

it(rowTitle(crashTable.workerPaused), () =>
  withTwoWorkers(async (workers) => {
    for (const [index, step] of [fetch, commit].entries()) {
      const [paused, other] = index === 0 ? workers : [workers[1], workers[0]];
      await paused.stopOnce(step, 'pause');
      await untilSharing([other.process]);
      await untilPendingSettled();
      paused.process.resume();
      await untilSharing(workers.map(({ process }) => process));
    }
  }),
);

it(rowTitle(crashTable.primaryKilledWorkers), async () => {
  const workers = [await startWorkerProcess(settings()), await startWorkerProcess(settings())];
  const writing = writeSteadily({ client, db });
  await untilSharing(workers);
  for (const { to, ...step } of Object.values(steps)) {
    if (to !== 'mongodb' || step.before !== 'request') continue;
    const primary = await mongodb.primary();
    const act = async (): Promise<'cut'> => {
      for (const proxy of members) proxy.clear();
      await primary.kill();
      return 'cut';
    };
    await Promise.race(members.map((proxy) => proxy.stopOnce({ ...step, act })));
    await until('another primary', async () => (await mongodb.primary()) !== primary);
    await untilPendingSettled();
    await primary.start();
    await mongodb.untilHealthy();
    await untilSharing(workers);
  }
  await writing.stop();
  await expectInStep(db, graph);
  for (const worker of workers) expect(await worker.terminate()).toMatchObject({ exitCode: 0 });
});
