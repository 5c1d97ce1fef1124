/**
 * `npm run scale -- --aggregates N`: `outgraph backfill --direct` loads documents into the graph
 * that outgraph has never seen, and `outgraph verify` verifies them. Each command runs in a
 * separate process, and its time and peak memory are reported. Exits 0 only if all documents were
 * applied, the graph is equal, and the verification stayed below its memory limit.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { MongoClient } from 'mongodb';
import { readSettings, setUpSettings } from '../../lib/runtime/settings.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { graphAddress } from '../../test/support/connect-graph.ts';
import { startOutgraphProcess } from '../../test/support/run-outgraph.ts';
import { positive } from '../../tools/command-options.ts';
import { printStep } from '../../tools/local/progress.ts';
import { runWithServers } from '../../tools/local/run-with-stack.ts';
import { type Servers, startServers } from '../../tools/local/servers.ts';
import { memoryEvent } from '../../xmem/aggregates/memory-event.ts';
import { catalog } from '../../xmem/catalog.ts';

const { aggregates: wanted } = new Command('npm run scale --')
  .description('Backfills many documents straight into the graph, verifies all of them, and reports times and memory.')
  .option('--aggregates <count>', 'number of documents, each of them an aggregate', positive, 1_000_000)
  .parse()
  .opts<{ aggregates: number }>();

/** A verification of a million aggregates needs less. */
const maxMegabytes = 512;
const insertedAtOnce = 10_000;
const eventsOfUser = 100;

async function measure(servers: Servers): Promise<number> {
  const graph = graphAddress(servers);
  const settings = {
    MONGODB_URI: servers.mongodbUri,
    MONGODB_DATABASE: 'scale',
    NEO4J_URI: graph.uri,
    NEO4J_USERNAME: graph.username,
    NEO4J_PASSWORD: graph.password,
  };
  await setUpOnce(readSettings(setUpSettings, settings), catalog);
  await printStep(`Writing ${format(wanted)} documents without outgraph`, () => insertDocuments(settings));
  const run = (...command: readonly string[]) => runMeasured(servers.folder, settings, command);
  const backfill = await printStep('Backfilling straight to the graph', () =>
    run('backfill', memoryEvent.type, '--direct', '--rate', '1000000', '--yes', '--json'),
  );
  const verify = await printStep('Verifying element by element', () =>
    run('verify', memoryEvent.type, '--transaction-seconds', '0', '--json'),
  );
  const quick = await printStep('Verifying by positions and manifests', () =>
    run('verify', memoryEvent.type, '--quick', '--transaction-seconds', '0', '--json'),
  );
  const line = (name: string, { seconds, megabytes }: Measured) =>
    `${name}: ${format(Math.round(wanted / seconds))} documents a second, ${Math.round(seconds)} s, ` +
    `${Math.round(megabytes)} MB at most`;
  process.stdout.write(
    `${[line('backfill --direct', backfill), line('verify', verify), line('verify --quick', quick)].join('\n')}\n`,
  );
  const isGood = verify.answer.outcome === 'equal' && verify.answer.documents === wanted;
  if (!isGood) process.stderr.write(`The graph does not match the documents: ${JSON.stringify(verify.answer)}\n`);
  return isGood && Math.max(verify.megabytes, quick.megabytes) < maxMegabytes ? 0 : 1;
}

async function insertDocuments({
  MONGODB_URI,
  MONGODB_DATABASE,
}: Readonly<Record<'MONGODB_URI' | 'MONGODB_DATABASE', string>>): Promise<void> {
  const client = new MongoClient(MONGODB_URI);
  try {
    const events = client.db(MONGODB_DATABASE).collection(memoryEvent.collection);
    for (let first = 0; first < wanted; first += insertedAtOnce) {
      const count = Math.min(insertedAtOnce, wanted - first);
      await events.insertMany(Array.from({ length: count }, (_, index) => documentOf(first + index)));
    }
  } finally {
    await client.close();
  }
}

function documentOf(number: number) {
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  return {
    user_id: `user ${Math.floor(number / eventsOfUser)}`,
    date: `${twoDigits(1 + (number % 12))}-${twoDigits(1 + (number % 28))}`,
    event_name: `event ${number}`,
    desc: 'what happened on that day, in a sentence or two, as people write it',
  };
}

interface Measured {
  readonly seconds: number;
  readonly megabytes: number;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** Kilobytes: https://nodejs.org/api/process.html#processresourceusage */
const reportMemory = (file: string) =>
  `data:text/javascript,${encodeURIComponent(
    "import { writeFileSync } from 'node:fs';" +
      `process.on('exit', () => writeFileSync(${JSON.stringify(file)}, ` +
      'String(process.resourceUsage().maxRSS / 1024)));',
  )}`;

async function runMeasured(
  folder: string,
  settings: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<Measured> {
  const file = path.join(folder, `${command[0]}-${Date.now()}.megabytes`);
  const startedAt = performance.now();
  const { stdout, stderr, exitCode } = await startOutgraphProcess(command, {
    ...settings,
    NODE_OPTIONS: `--import=${reportMemory(file)}`,
  }).ended;
  const seconds = (performance.now() - startedAt) / 1_000;
  if (!stdout.startsWith('{')) throw new Error(`outgraph ${command[0]} exited with ${exitCode}: ${stderr}`);
  return { seconds, megabytes: Number(await readFile(file, 'utf8')), answer: JSON.parse(stdout) };
}

function format(value: number): string {
  return value.toLocaleString('en-US');
}

await runWithServers({
  start: (signal) => startServers({ wanted: ['mongodb', 'neo4j'], mongodbMembers: 1, signal }),
  run: measure,
});
