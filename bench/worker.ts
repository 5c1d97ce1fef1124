/**
 * Compares the worker's whole path, from commit to acknowledgement, with the apply alone, and
 * measures its lag at a steady rate.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { inChunks } from '../lib/runtime/in-chunks.ts';
import { readSettings, workerSettings } from '../lib/runtime/settings.ts';
import type { WorkerLog } from '../lib/worker/log.ts';
import { startWorker } from '../lib/worker/wiring.ts';
import { settled } from '../lib/writer/settled.ts';
import { silentLog } from '../test/support/silent-log.ts';
import { catalog } from '../xmem/catalog.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { type Rate, spread } from './compare.ts';
import type { Benchmark } from './figure.ts';
import { type Lag, lagAt, readLags } from './lags.ts';
import { symbolRows } from './symbols.ts';

const backlog = 100_000;
const batchSize = 1_000;
const steadyRate = 500;
const steadySeconds = 20;
const waitingRate = 100;
const waitingSeconds = 10;
/** The time until Neo4j's planner and both virtual machines have compiled small batches. */
const warmUpSeconds = 5;

export const quietLog: WorkerLog = {
  ...silentLog,
  failed: (part, error) => process.stderr.write(`  ${part} failed: ${String(error)}\n`),
};

/**
 * Measures the time from the start of a worker until nothing is pending, and then the lags of a
 * steady stream.
 */
export const workerBenchmark: Benchmark = {
  name: 'worker',
  needs: ['mongodb', 'neo4j'],
  run: (servers) =>
    BenchOutbox.with(servers, async (bench) => {
      const apply = await new ApplyBench(servers, bench.graph).setUp();
      const start = () => startWorker(readSettings(workerSettings, bench.environment), catalog, quietLog);
      await bench.write('first', 5_000);
      const warm = start();
      await bench.untilSettled();
      await warm.stop();

      const alone = await applyAlone(apply, 'alone', backlog / 2);
      await bench.write('backlog', backlog);
      const startedAt = performance.now();
      const worker = start();
      await bench.untilSettled();
      const whole = backlog / ((performance.now() - startedAt) / 1000);
      const aloneAfter = await applyAlone(apply, 'after', backlog / 2);
      await apply.driver.close();

      await writeSteadily(bench, 'warm', warmUpSeconds);
      await writeSteadily(bench, 'steady', steadySeconds);
      await bench.untilSettled();
      const lags = await readLags(bench, { aggregateId: new RegExp(`^${bench.graph.aggregateId('steady')}-`) });
      const waits = await waitForEach(bench, 'settled', waitingSeconds);
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
        lagFigure('worker, settled after the commit at 100 events/s, p50 (ms, at most)', waits, 0.5, 50),
      ];
    }),
};

/** Events per second when the same batches are applied one after the other, without MongoDB. */
async function applyAlone(apply: ApplyBench, group: string, count: number): Promise<number> {
  const states = apply.states(symbolRows(group, count));
  const startedAt = performance.now();
  for (const batch of inChunks(states, batchSize)) await apply.apply(batch);
  return count / ((performance.now() - startedAt) / 1000);
}

/** Writes at the steady rate. Returns how many events it wrote. */
export async function writeSteadily(bench: BenchOutbox, group: string, lengthSeconds: number): Promise<number> {
  const rows = symbolRows(group, steadyRate * lengthSeconds);
  await atRate(steadyRate, rows, (row) => bench.outbox.insertOne(bench.graph.event(row)));
  return rows.length;
}

/** Writes a hundred events a second, and measures how long the writer of each waits for it. */
async function waitForEach(bench: BenchOutbox, group: string, lengthSeconds: number): Promise<readonly Lag[]> {
  return atRate(waitingRate, symbolRows(group, waitingRate * lengthSeconds), async (row) => {
    const { insertedId } = await bench.outbox.insertOne(bench.graph.event(row));
    const committedAt = performance.now();
    await settled(bench.db, [insertedId], { timeoutMs: 60_000 });
    return { lag: performance.now() - committedAt };
  });
}

/** Starts the work of each item at its time. */
async function atRate<Item, Result>(
  perSecond: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const startedAt = performance.now();
  const running: Promise<Result>[] = [];
  for (const [index, item] of items.entries()) {
    const wait = startedAt + (index * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    running.push(work(item));
  }
  return Promise.all(running);
}

function lagFigure(figure: string, events: readonly Lag[], share: number, goal: number) {
  return {
    figure,
    ratio: { name: 'lag', median: lagAt(events, share), low: lagAt(events, 0.25), high: lagAt(events, 1) },
    goal,
    rates: [spread('events', [events.length])],
    unit: 'events',
  };
}
