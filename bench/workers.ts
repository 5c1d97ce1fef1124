/**
 * Compares two workers with one, each in a process of its own, on replays: events that the graph
 * has applied, so that Neo4j only reads. Once beside the servers on the cores of this machine, and
 * once with a delay before both servers, so that the workers wait instead of compete.
 */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Document } from 'mongodb';
import { inChunks } from '../lib/runtime/in-chunks.ts';
import { groupLease } from '../lib/worker/mongodb-group-lease.ts';
import { TcpProxy } from '../test/support/tcp-proxy.ts';
import { type BackgroundProcess, startInBackground } from '../tools/local/children.ts';
import { projectRoot } from '../tools/local/paths.ts';
import type { Servers } from '../tools/local/servers.ts';
import { waitUntil } from '../tools/local/wait-until.ts';
import { ApplyBench } from './apply.ts';
import { BenchOutbox } from './bench-outbox.ts';
import { type Contender, compare, spread } from './compare.ts';
import { againstFirst, type Benchmark, type Figure } from './figure.ts';
import { machineSeconds, pidsIn, processorSeconds } from './processor-time.ts';

interface SetUp {
  readonly name: string;
  readonly events: number;
  /** Of each message to MongoDB or Neo4j, in each direction. */
  readonly delayMillis: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly goal: number | null;
}

const setUps: readonly SetUp[] = [
  { name: 'all servers on the same cores', events: 10_000, delayMillis: 0, settings: {}, goal: null },
  {
    name: 'both servers 20 ms away, batches of 100',
    events: 5_000,
    delayMillis: 10,
    settings: { WORKER_BATCH_SIZE: '100' },
    goal: 1.8,
  },
];

export const workersBenchmark: Benchmark = {
  name: 'workers',
  needs: ['mongodb', 'neo4j'],
  run: async (servers) => {
    const figures: Figure[] = [];
    for (const setUp of setUps) figures.push(...(await measure(servers, setUp)));
    return figures;
  },
};

async function measure(servers: Servers, setUp: SetUp): Promise<readonly Figure[]> {
  const proxies = await Promise.all(
    [servers.mongodbUri, servers.neo4jUri].map((uri) => TcpProxy.start(portOf(uri), setUp.delayMillis)),
  );
  const [mongodb, neo4j] = proxies.map(({ port }) => port);
  const settings = {
    ...setUp.settings,
    MONGODB_URI: `mongodb://127.0.0.1:${mongodb}/?directConnection=true`,
    NEO4J_URI: `bolt://127.0.0.1:${neo4j}`,
  };
  try {
    return await BenchOutbox.with(servers, (one) =>
      BenchOutbox.with(servers, async (two) => {
        for (const { graph } of [one, two]) {
          const { driver } = await new ApplyBench(servers, graph).setUp();
          await driver.close();
        }
        const alone = await Workers.start(servers, one, 1, settings);
        const pair = await Workers.start(servers, two, 2, settings);
        try {
          const result = await compare([alone.contender(setUp.events), pair.contender(setUp.events)], {
            rounds: 7,
            warmUp: 1,
          });
          const about = { unit: 'events/s', goal: setUp.goal };
          return [
            againstFirst(result, { figure: `two workers against one, replays, ${setUp.name}`, ...about }),
            ...[alone, pair].map((workers) => workers.coresFigure(setUp.name)),
          ];
        } finally {
          await Promise.all([alone.stop(), pair.stop()]);
        }
      }),
    );
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

function portOf(uri: string): number {
  return Number(new URL(uri).port);
}

/** Processor seconds, or cores while they work. */
interface ProcessorUse {
  readonly workers: number;
  readonly servers: number;
  /** With the benchmark itself, and all else that runs here. */
  readonly machine: number;
}

/** Workers that share an outbox, and the processors that they and the servers use. */
class Workers {
  readonly #servers: Servers;
  readonly #bench: BenchOutbox;
  readonly #processes: readonly BackgroundProcess[];
  /** The last events of each aggregate that the graph has applied. */
  #applied: readonly Document[] = [];
  #startedAt = 0;
  #usedBefore: ProcessorUse = { workers: 0, servers: 0, machine: 0 };
  readonly #cores: ProcessorUse[] = [];

  private constructor(servers: Servers, bench: BenchOutbox, processes: readonly BackgroundProcess[]) {
    this.#servers = servers;
    this.#bench = bench;
    this.#processes = processes;
  }

  static async start(
    servers: Servers,
    bench: BenchOutbox,
    count: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<Workers> {
    const cwd = path.join(servers.folder, 'workers');
    await mkdir(cwd, { recursive: true });
    // The lease outlives the pauses between rounds.
    const env = { ...bench.environment, ...settings, PUBLISHER_LEASE_SECONDS: '36000', WORKER_SWEEP_SECONDS: '36000' };
    const processes = Array.from({ length: count }, (_, index) =>
      startInBackground({
        name: 'worker',
        command: process.execPath,
        args: [path.join(projectRoot, 'cli/outgraph.ts'), 'worker', '--port', '0'],
        cwd,
        env,
        logFile: path.join(servers.logsFolder, `worker-${bench.db.databaseName}-${index}.log`),
      }),
    );
    const started = new Workers(servers, bench, processes);
    await started.#untilSharing();
    return started;
  }

  /** Replays events: the workers find them all when they continue. */
  contender(events: number): Contender {
    return {
      name: this.#processes.length === 1 ? 'one worker' : `${this.#processes.length} workers`,
      prepare: async () => {
        if (this.#applied.length === 0) {
          await this.#bench.write('replayed', events);
          await this.#bench.untilSettled();
          this.#applied = await this.#bench.outbox.find({}, { projection: { processedAt: 0 } }).toArray();
        }
        for (const one of this.#processes) one.pause();
        await this.#bench.outbox.deleteMany({});
        // The server keeps a position that is not empty. Without a newer one, the graph has them all.
        const replayed = this.#applied.map((event) => ({ ...event, status: 'pending' }));
        for (const chunk of inChunks(replayed, 5_000)) await this.#bench.outbox.insertMany([...chunk]);
      },
      run: async () => {
        this.#startedAt = performance.now();
        this.#usedBefore = await this.#used();
        for (const one of this.#processes) one.resume();
        await this.#bench.untilSettled();
        const seconds = (performance.now() - this.#startedAt) / 1_000;
        const used = await this.#used();
        this.#cores.push({
          workers: (used.workers - this.#usedBefore.workers) / seconds,
          servers: (used.servers - this.#usedBefore.servers) / seconds,
          machine: (used.machine - this.#usedBefore.machine) / seconds,
        });
        return events;
      },
    };
  }

  /** The machine's cores in use while they worked, and how many of them by the workers and the servers. */
  coresFigure(name: string): Figure {
    const count = this.#processes.length;
    const rates = (['workers', 'servers'] as const).map((part) =>
      spread(
        part,
        this.#cores.map((cores) => cores[part]),
      ),
    );
    return {
      figure: `cores in use with ${count === 1 ? 'one worker' : `${count} workers`}, ${name}`,
      ratio: spread(
        'cores',
        this.#cores.map(({ machine }) => machine),
      ),
      goal: null,
      rates,
      unit: 'cores',
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.stop()));
  }

  async #untilSharing(): Promise<void> {
    const leases = this.#bench.db.collection<Document & { _id: string }>('outboxCheckpoints');
    const isShared = async () =>
      (await leases.findOne({ _id: groupLease }))?.members?.length === this.#processes.length;
    await waitUntil(async () => (await isShared()) || undefined, {
      timeoutSeconds: 60,
      pollMillis: 100,
      what: 'the workers to share the outbox',
    });
    // The first of them sees the last one with its next renewal.
    await once(AbortSignal.timeout(3_000), 'abort');
  }

  /** Processor seconds used so far. */
  async #used(): Promise<ProcessorUse> {
    const workers = await Promise.all(this.#processes.map(({ pid }) => processorSeconds(pid)));
    const servers = await Promise.all((await pidsIn(this.#servers.folder)).map(processorSeconds));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return { workers: sum(workers), servers: sum(servers), machine: await machineSeconds() };
  }
}
