/**
 * Compares outgraph's worker with what one would use instead, on the same documents and servers:
 * throughput, lag, memory, start, and what is wrong in the graph afterwards, also after each part
 * was killed in the middle of a stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectGraph } from '../../test/support/connect-graph.ts';
import type { Servers } from '../../tools/local/servers.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { compare, type Rate, spread } from '../compare.ts';
import type { Benchmark, Figure } from '../figure.ts';
import { lagAt } from '../lags.ts';
import { machineSeconds, processorSeconds } from '../processor-time.ts';
import { countOf, type Differences } from './differences.ts';
import { eventsPerGroup, expectedOf, type Part, Pipeline } from './pipeline.ts';
import { type PeerName, peerNames } from './symbols.ts';

const titles: Readonly<Record<PeerName, string>> = {
  outgraph: "outgraph's worker",
  kafka: 'Debezium, Kafka, raw sink',
  stream: 'change stream, raw batches',
  dual: 'the service writes both',
};

const groups = 10;
const rounds = 3;
const warmUp = 1;
const lagRates = [100, 500];
const lagSeconds = 15;
const killedGroups = 5;
/** How long a killed part is away. */
const awayMillis = 2_000;
/** The graph counts as settled once nothing has changed for this long. */
const quietSeconds = 12;

/** What is measured of one peer. */
interface Peer {
  readonly pipeline: Pipeline;
  readonly startSeconds: number;
  readonly lags: Map<number, readonly { readonly lag: number }[]>;
  readonly wrong: Map<string, Differences>;
  /** Of the rounds of mixed changes. */
  readonly used: ProcessorUse[];
  megabytes: number;
}

export const peersBenchmark: Benchmark = {
  name: 'peers',
  needs: ['mongodb', 'neo4j'],
  onRequest: true,
  run: async (servers) => {
    const peers: Peer[] = [];
    try {
      for (const name of peerNames) peers.push(await startPeer(name, servers));
      const result = await compare(
        peers.map((peer) => contender(peer, servers)),
        { rounds, warmUp },
      );
      for (const peer of peers) {
        for (const rate of lagRates) peer.lags.set(rate, await measureLag(peer.pipeline, rate));
        peer.megabytes = await peer.pipeline.megabytes();
        peer.wrong.set('after that', await peer.pipeline.differences());
      }
      for (const peer of peers) {
        for (const part of [...peer.pipeline.parts, 'writer'] as const)
          peer.wrong.set(
            `${typeof part === 'string' ? part : part.name} killed`,
            await killInTheMiddle(peer.pipeline, part),
          );
      }
      process.stdout.write(`\n${table(peers, result.rates)}\n`);
      return figuresOf(peers, result.rates);
    } finally {
      await Promise.all(peers.map(({ pipeline }) => pipeline.stop()));
    }
  },
};

async function startPeer(name: PeerName, servers: Servers): Promise<Peer> {
  const pipeline = await Pipeline.prepare(name, servers, connectGraph(servers));
  const startSeconds = await pipeline.start();
  process.stderr.write(`  ${titles[name]}: runs after ${startSeconds.toFixed(1)} s\n`);
  return { pipeline, startSeconds, lags: new Map(), wrong: new Map(), used: [], megabytes: 0 };
}

function contender({ pipeline, used }: Peer, servers: Servers) {
  return {
    name: titles[pipeline.peer],
    run: async (number: number) => {
      const round = `round${number}`;
      const before = await usedSoFar(pipeline, servers);
      await pipeline.write({ round, groups });
      await pipeline.untilApplied(expectedOf(round, groups));
      if (number >= warmUp) used.push(difference(await usedSoFar(pipeline, servers), before));
      process.stderr.write(`  ${titles[pipeline.peer]}: ${round}\n`);
      return groups * eventsPerGroup;
    },
  };
}

const users = ['MongoDB', 'Neo4j', 'its processes', 'writer and benchmark'] as const;

/** Processor seconds. */
type ProcessorUse = Readonly<Record<(typeof users)[number], number>>;

async function usedSoFar(pipeline: Pipeline, servers: Servers): Promise<ProcessorUse> {
  const sumOf = async (pids: readonly number[]) =>
    (await Promise.all(pids.map(processorSeconds))).reduce((sum, one) => sum + one, 0);
  const neo4j = servers.processes.filter(({ name }) => name === 'Neo4j').map(({ pid }) => pid);
  const [MongoDB, Neo4j, own] = [await sumOf(servers.mongodPids), await sumOf(neo4j), await sumOf(pipeline.pids)];
  const rest = (await machineSeconds()) - MongoDB - Neo4j - own;
  return { MongoDB, Neo4j, 'its processes': own, 'writer and benchmark': rest };
}

function difference(after: ProcessorUse, before: ProcessorUse): ProcessorUse {
  return Object.fromEntries(users.map((name) => [name, after[name] - before[name]])) as ProcessorUse;
}

/** Milliseconds from the commit of some documents until a query of the graph finds them. */
async function measureLag(pipeline: Pipeline, perSecond: number): Promise<readonly { readonly lag: number }[]> {
  const waiting = new Map<string, number>();
  const lags: { readonly lag: number }[] = [];
  let isWriting = true;
  const watch = async () => {
    while (isWriting || waiting.size > 0) {
      for (const id of await pipeline.present([...waiting.keys()])) {
        lags.push({ lag: Date.now() - (waiting.get(id) ?? Number.NaN) });
        waiting.delete(id);
      }
      await sleep(1);
    }
  };
  const watching = watch();
  await pipeline.write({ round: `lag${perSecond}`, perSecond, seconds: lagSeconds }, ({ id, at }) => {
    waiting.set(id, at);
  });
  isWriting = false;
  await watching;
  return lags;
}

/** Kills a part while a stream is written, starts it again, and waits until the graph is settled. */
async function killInTheMiddle(pipeline: Pipeline, part: Part | 'writer'): Promise<Differences> {
  const round = `without-${typeof part === 'string' ? part : part.name}`;
  const writer = pipeline.startWriter({ round, groups: killedGroups });
  const documents = pipeline.db.collection<{ readonly round: string }>('symbols');
  await waitUntil(async () => (await documents.countDocuments({ round })) >= 1_500 || undefined, {
    timeoutSeconds: 60,
    pollMillis: 5,
    what: 'documents',
  });
  if (part === 'writer') writer.kill();
  else {
    await pipeline.kill(part);
    await sleep(awayMillis);
    await pipeline.startAgain(part);
  }
  await writer.ended;
  return untilQuiet(pipeline);
}

async function untilQuiet(pipeline: Pipeline): Promise<Differences> {
  let differences = await pipeline.differences();
  let since = performance.now();
  while (countOf(differences) > 0 && performance.now() - since < quietSeconds * 1_000) {
    await sleep(1_000);
    const next = await pipeline.differences();
    if (JSON.stringify(next) !== JSON.stringify(differences)) since = performance.now();
    differences = next;
  }
  return differences;
}

function table(peers: readonly Peer[], rates: readonly Rate[]): string {
  const row = (what: string, cell: (peer: Peer, index: number) => string) =>
    `| ${[what, ...peers.map(cell)].join(' | ')} |`;
  const lags = ({ lags }: Peer, rate: number) =>
    `${lagAt(lags.get(rate) ?? [], 0.5)} and ${lagAt(lags.get(rate) ?? [], 0.99)}`;
  const killed = [...new Set(peers.flatMap(({ wrong }) => [...wrong.keys()]))];
  return [
    row('', ({ pipeline }) => titles[pipeline.peer]),
    `|${'---|'.repeat(peers.length + 1)}`,
    row('mixed changes, events a second', (_, index) => Math.round(rates[index]?.median ?? Number.NaN).toString()),
    ...users.map((user) =>
      row(`processor time of ${user}, µs an event`, ({ used }) => {
        const seconds = spread(
          user,
          used.map((one) => one[user]),
        ).median;
        return ((seconds * 1_000_000) / (groups * eventsPerGroup)).toFixed(0);
      }),
    ),
    ...lagRates.map((rate) => row(`lag at ${rate} a second, p50 and p99, ms`, (peer) => lags(peer, rate))),
    row('memory of its processes, MB', ({ megabytes }) => (megabytes === 0 ? '' : megabytes.toFixed(0))),
    row('from nothing to the first document, s', ({ startSeconds }) => startSeconds.toFixed(1)),
    ...killed.map((when) =>
      row(`wrong in the graph, ${when}`, ({ wrong }) => {
        const differences = wrong.get(when);
        return differences === undefined ? '' : differencesText(differences);
      }),
    ),
  ].join('\n');
}

function differencesText(differences: Differences): string {
  const found = Object.entries(differences).filter(([, count]) => count > 0);
  return found.length === 0 ? 'nothing' : found.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function figuresOf(peers: readonly Peer[], rates: readonly Rate[]): readonly Figure[] {
  const of = (name: PeerName) => peers.findIndex(({ pipeline }) => pipeline.peer === name);
  const [ours, kafka] = [of('outgraph'), of('kafka')] as const;
  const against = (what: string, goal: number, value: (index: number) => number, unit: string): Figure => ({
    figure: `outgraph's worker against Debezium, Kafka and a raw sink: ${what}`,
    ratio: spread(what, [value(ours) / value(kafka)]),
    goal,
    rates: [spread('outgraph', [value(ours)]), spread('Kafka', [value(kafka)])],
    unit,
  });
  const lagOf = (rate: number, share: number) => (index: number) => lagAt(peers[index]?.lags.get(rate) ?? [], share);
  return [
    against('mixed changes', 1.2, (index) => rates[index]?.median ?? Number.NaN, 'events/s'),
    ...lagRates.flatMap((rate) =>
      [0.5, 0.99].map((share) =>
        against(`lag at ${rate} a second, p${share * 100} (at most)`, 1, lagOf(rate, share), 'ms'),
      ),
    ),
    against('memory (at most)', 1, (index) => peers[index]?.megabytes ?? Number.NaN, 'MB'),
  ];
}
