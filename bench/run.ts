/** `npm run bench`: compares outgraph with the alternatives to it, as ratios within one run. */
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { Command } from 'commander';
import { positive } from '../tools/command-options.ts';
import { runWithServers } from '../tools/local/run-with-stack.ts';
import { type Servers, startServers } from '../tools/local/servers.ts';
import { applyBenchmark, concurrencyBenchmark, updateBenchmark } from './apply.ts';
import { backfillBenchmark } from './backfill.ts';
import { consumerBenchmark } from './consumer.ts';
import type { Benchmark, Figure } from './figure.ts';
import { functionsBenchmark } from './functions.ts';
import { memoryBenchmark } from './memory.ts';
import { peersBenchmark } from './peers/peers.ts';
import { publisherBenchmark } from './publisher.ts';
import { restartBenchmark } from './restart.ts';
import { sizeBenchmark } from './size.ts';
import { storeBenchmark } from './store.ts';
import { workerBenchmark } from './worker.ts';
import { workersBenchmark } from './workers.ts';
import { writerBenchmark } from './writer.ts';

const benchmarks: readonly Benchmark[] = [
  applyBenchmark,
  updateBenchmark,
  concurrencyBenchmark,
  consumerBenchmark,
  writerBenchmark,
  publisherBenchmark,
  workerBenchmark,
  workersBenchmark,
  backfillBenchmark,
  restartBenchmark,
  memoryBenchmark,
  functionsBenchmark,
  sizeBenchmark,
  storeBenchmark,
  peersBenchmark,
];

const options = new Command('npm run bench --')
  .description(
    'Prints a table of ratios with the middle half of their rounds. Each is measured interleaved, within this run.',
  )
  .option('--only <name>', `one of: ${benchmarks.map((benchmark) => benchmark.name).join(', ')}`)
  .option('--aggregates <count>', 'aggregates in the large graph of the benchmark "size"', positive, 1_000_000)
  .option('--json <file>', 'also write the figures to a file')
  .parse()
  .opts<{ only?: string; aggregates: number; json?: string }>();

const chosen = benchmarks.filter(({ name, onRequest }) =>
  options.only === undefined ? onRequest !== true : name === options.only,
);
if (chosen.length === 0) {
  process.stderr.write(
    `There is no benchmark "${options.only}": choose one of ${benchmarks.map(({ name }) => name).join(', ')}.\n`,
  );
  process.exit(1);
}

await runWithServers({
  start: (signal) =>
    startServers({ wanted: [...new Set(chosen.flatMap(({ needs }) => needs))], mongodbMembers: 1, signal }),
  run: runBenchmarks,
});

async function runBenchmarks(servers: Servers, signal: AbortSignal): Promise<number> {
  const figures: Figure[] = [];
  for (const benchmark of chosen) {
    const startedAt = performance.now();
    process.stderr.write(`  ${benchmark.name} …\n`);
    figures.push(...(await benchmark.run(servers, options)));
    signal.throwIfAborted();
    process.stderr.write(`  ${benchmark.name}: done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
  }
  const machine = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.versions.node}`;
  process.stdout.write(`\n${table(figures)}\nMachine: ${machine}; servers, clients and benchmark share it.\n`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  return 0;
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, ratio, goal, rates, unit }) => [
    figure,
    `${round(ratio.median)} (${round(ratio.low)} to ${round(ratio.high)})`,
    goal === null ? '' : `${goal}`,
    `${rates.map((rate) => `${rate.name} ${round(rate.median)}`).join(', ')} ${unit}`,
  ]);
  return [
    '| figure | ratio (middle half) | goal | behind it |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
