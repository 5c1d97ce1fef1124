/**
 * Measures the worker's lag while Neo4j is killed and restarted under a steady stream. Nothing may
 * be lost, and the lag must recover soon.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings, workerSettings } from '../lib/runtime/settings.ts';
import { startWorker } from '../lib/worker/wiring.ts';
import { connectGraph } from '../test/support/connect-graph.ts';
import { silentLog } from '../test/support/silent-log.ts';
import { startRestartableNeo4j } from '../tools/local/neo4j.ts';
import { printStep } from '../tools/local/progress.ts';
import { catalog } from '../xmem/catalog.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { spread } from './compare.ts';
import type { Benchmark } from './figure.ts';
import { lagAt, readLags } from './lags.ts';
import { writeSteadily } from './worker.ts';

const warmUpSeconds = 20;
const steadySeconds = 45;
const killAfterMillis = 5_000;
const lagGoalMillis = 150;
const recoveryGoalSeconds = 10;
const windowMillis = 1_000;

export const restartBenchmark: Benchmark = {
  name: 'restart',
  needs: ['mongodb'],
  run: async (servers) => {
    const folder = path.join(servers.folder, 'restarted-neo4j');
    const neo4j = await startRestartableNeo4j(folder, printStep, new AbortController().signal);
    const graph = { neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null };
    try {
      return await BenchOutbox.with({ ...servers, ...graph }, async (bench) => {
        const apply = await new ApplyBench({ ...servers, ...graph }, bench.graph).setUp();
        await apply.driver.close();
        const worker = startWorker(readSettings(workerSettings, bench.environment), catalog, {
          ...silentLog,
          failed: () => undefined,
        });
        await writeSteadily(bench, 'warm', warmUpSeconds);
        const writing = writeSteadily(bench, 'steady', steadySeconds);
        await sleep(killAfterMillis);
        await neo4j.server.kill();
        await neo4j.server.start();
        const answersAt = Date.now();
        const written = await writing;
        await bench.untilSettled();
        await worker.stop();

        const lost = written - (await countSymbols(graph, bench));
        const recovery = (await firstFastWindow(bench, answersAt)) / 1000;
        return [
          {
            figure: `worker, Neo4j killed and restarted: events lost of ${written}`,
            ratio: spread('lost', [lost]),
            goal: 0,
            rates: [spread('written', [written])],
            unit: 'events',
          },
          {
            figure: 'worker, from the restart of Neo4j to a lag p99 below 150 ms (s, at most)',
            ratio: spread('recovery', [recovery]),
            goal: recoveryGoalSeconds,
            rates: [spread('written', [written])],
            unit: 'events',
          },
        ];
      });
    } finally {
      await neo4j.server.stop();
    }
  },
};

/** The symbols of the steady stream that are in the graph. */
async function countSymbols(graph: Parameters<typeof connectGraph>[0], bench: BenchOutbox): Promise<number> {
  const driver = connectGraph(graph);
  const { records } = await driver.executeQuery(
    `MATCH (s:${bench.graph.label('Symbol')}) WHERE s.revision = 'steady' RETURN count(s) AS count`,
  );
  await driver.close();
  return Number(records[0]?.get('count'));
}

/** Milliseconds from `since` to the first window in which the slowest hundredth met the goal. */
async function firstFastWindow(bench: BenchOutbox, since: number): Promise<number> {
  const events = await readLags(bench, { createdAt: { $gte: new Date(since) } });
  const windows = Map.groupBy(events, ({ createdAt }) => Math.floor((createdAt - since) / windowMillis));
  const fast = [...windows].filter(([, members]) => lagAt(members, 0.99) <= lagGoalMillis);
  return Math.min(...fast.map(([window]) => window * windowMillis));
}
