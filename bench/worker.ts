/** The worker's whole path, from commit to acknowledgement, against the apply alone; and its lag at a steady rate. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Document, MongoClient } from 'mongodb';
import type { Servers } from '../infra/local/servers.ts';
import { waitUntil } from '../infra/local/wait-until.ts';
import { setUp } from '../infra/set-up.ts';
import { readSettings, workerSettings } from '../lib/config.ts';
import { outboxCollection } from '../lib/contract/outbox-event.ts';
import { toPosition } from '../lib/contract/position.ts';
import { readSubgraph } from '../lib/contract/read-subgraph.ts';
import { inChunks } from '../lib/in-chunks.ts';
import { applyStates } from '../lib/neo4j/apply-states.ts';
import { startWorker, type WorkerLog } from '../lib/wiring/worker.ts';
import { connectGraph } from '../test/connect-graph.ts';
import { upsertEvent } from '../test/outbox-event.ts';
import { silentLog } from '../test/silent-log.ts';
import { type Rate, spread } from './compare.ts';
import type { Benchmark } from './figure.ts';

const backlog = 100_000;
const batchSize = 1_000;
const steadyRate = 500;
const steadySeconds = 20;
/** Until small batches have been compiled, by Neo4j's planner and both virtual machines. */
const warmUpSeconds = 5;

const quiet: WorkerLog = {
  ...silentLog,
  failed: (part, error) => process.stderr.write(`  ${part} failed: ${String(error)}\n`),
};

/** A node with four properties and a relationship to one of fifty others. */
function payload(group: string, index: number): Document {
  const node = { label: 'BenchSymbol', key: { id: `${group}-${index}` } };
  const to = { label: 'BenchFile', key: { id: `${group}-${index % 50}` } };
  const properties = { name: `symbol ${index}`, kind: 'function', line: index, revision: group };
  return { nodes: [{ ...node, properties }], relationships: [{ type: 'BENCH_DEFINED_IN', from: node, to }] };
}

/** Seconds from the start of a worker until nothing is pending, and the lags of a steady stream after that. */
export const workerBenchmark: Benchmark = {
  name: 'worker',
  needs: ['mongodb', 'neo4j'],
  run: async (servers) => {
    const environment = {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_DATABASE: `outgraph_bench_${randomBytes(4).toString('hex')}`,
      NEO4J_URI: servers.neo4jUri,
      NEO4J_USERNAME: servers.neo4jUsername ?? '',
      NEO4J_PASSWORD: servers.neo4jPassword ?? '',
      NEO4J_DATABASE: 'neo4j',
    };
    await setUp({ ...environment, PROCESSED_RETENTION_DAYS: 7 });
    const client = new MongoClient(servers.mongodbUri);
    const outbox = client.db(environment.MONGODB_DATABASE).collection(outboxCollection);
    const start = () => startWorker(readSettings(workerSettings, environment), quiet);
    const untilSettled = () =>
      waitUntil(async () => (await outbox.countDocuments({ status: 'pending' }, { limit: 1 })) === 0 || undefined, {
        timeoutSeconds: 300,
        pollMillis: 20,
        what: 'every event to be settled',
      });
    const write = (group: string, count: number) =>
      outbox.insertMany(
        Array.from({ length: count }, (_, index) =>
          upsertEvent(payload(group, index), { aggregateId: `${group}-${index}` }),
        ),
      );
    try {
      await write('first', 5_000);
      const warm = start();
      await untilSettled();
      await warm.stop();

      const alone = await applyAlone(servers, 'alone', backlog / 2);
      for (let chunk = 0; chunk < backlog / 10_000; chunk += 1) await write(`backlog${chunk}`, 10_000);
      const startedAt = performance.now();
      const worker = start();
      await untilSettled();
      const whole = backlog / ((performance.now() - startedAt) / 1000);
      const aloneAfter = await applyAlone(servers, 'after', backlog / 2);

      await writeSteadily(outbox, 'warm', warmUpSeconds);
      await writeSteadily(outbox, 'steady', steadySeconds);
      await untilSettled();
      const lags = await readLags(outbox);
      await worker.stop();
      const base = spread('apply alone', [alone, aloneAfter]);
      const ratio: Rate = {
        name: 'worker',
        median: whole / ((alone + aloneAfter) / 2),
        low: whole / base.high,
        high: whole / base.low,
      };
      return [
        {
          figure: 'worker, whole path, backlog of 100,000, against apply alone',
          ratio,
          goal: 0.75,
          rates: [spread('worker', [whole]), base],
          unit: 'events/s',
        },
        lagFigure('worker, lag at 500 events/s, p50 (ms, at most)', lags, 0.5, 30),
        lagFigure('worker, lag at 500 events/s, p99 (ms, at most)', lags, 0.99, 150),
      ];
    } finally {
      await client.db(environment.MONGODB_DATABASE).dropDatabase();
      await client.close();
    }
  },
};

/** Events per second that one after the other of the same batches takes, without MongoDB. */
async function applyAlone(servers: Servers, group: string, count: number): Promise<number> {
  const driver = connectGraph(servers);
  const states = Array.from({ length: count }, (_, index) => ({
    key: `graph:${group}-${index}`,
    position: toPosition({ t: 1, i: 1 }),
    subgraph: readSubgraph(payload(group, index)),
  }));
  const startedAt = performance.now();
  for (const batch of inChunks(states, batchSize)) await applyStates(driver, 'neo4j', batch);
  const seconds = (performance.now() - startedAt) / 1000;
  await driver.close();
  return count / seconds;
}

async function writeSteadily(outbox: Collection<Document>, group: string, lengthSeconds: number): Promise<void> {
  const startedAt = performance.now();
  const writes: Promise<unknown>[] = [];
  for (let index = 0; index < steadyRate * lengthSeconds; index += 1) {
    const due = startedAt + (index * 1000) / steadyRate;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    writes.push(outbox.insertOne(upsertEvent(payload(group, index), { aggregateId: `${group}-${index}` })));
  }
  await Promise.all(writes);
}

/** From the writer's clock to the acknowledgement, which comes after the graph's commit: the same machine's clock. */
async function readLags(outbox: Collection<Document>): Promise<readonly number[]> {
  const events = await outbox
    .find({ aggregateId: /^steady-/ }, { projection: { createdAt: 1, processedAt: 1 } })
    .toArray();
  return events
    .map((event) => event.processedAt.getTime() - event.createdAt.getTime())
    .sort((left, right) => left - right);
}

function lagFigure(figure: string, lags: readonly number[], share: number, goal: number) {
  const at = (part: number) => lags[Math.min(lags.length - 1, Math.floor(part * lags.length))] ?? Number.NaN;
  return {
    figure,
    ratio: { name: 'lag', median: at(share), low: at(0.25), high: at(1) },
    goal,
    rates: [spread('events', [lags.length])],
    unit: 'events',
  };
}
