/** A peer: the processes that carry changes from MongoDB to Neo4j, and the service that writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Db, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { readSettings, setUpSettings } from '../../lib/runtime/settings.ts';
import { setUpOnce } from '../../lib/set-up/wiring.ts';
import { type BackgroundProcess, startInBackground } from '../../tools/local/children.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import type { Servers } from '../../tools/local/servers.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { catalog } from './catalog.ts';
import { type Differences, findDifferences } from './differences.ts';
import { prepareKafka } from './kafka.ts';
import { type Committed, orderVariable, type PeerOrder, type WriteOrder } from './order.ts';
import { databaseOf, namesOf, type PeerName, symbolsCollection, symbolsOf } from './symbols.ts';

/** A process that can be killed and started again. */
export interface Part {
  readonly name: string;
  readonly start: () => Promise<BackgroundProcess>;
}

/** Symbols that a measurement leaves, as a whole. */
export interface Expected {
  readonly round: string;
  readonly symbols: number;
  readonly revisions: number;
}

export class Pipeline {
  readonly peer: PeerName;
  readonly parts: readonly Part[];
  readonly db: Db;
  readonly #servers: Servers;
  readonly #driver: Driver;
  readonly #client: MongoClient;
  readonly #running = new Map<string, BackgroundProcess>();
  readonly #broker: string | undefined;

  private constructor(peer: PeerName, servers: Servers, driver: Driver, parts: readonly Part[], broker?: string) {
    this.peer = peer;
    this.parts = parts;
    this.#servers = servers;
    this.#driver = driver;
    this.#client = new MongoClient(servers.mongodbUri);
    this.db = this.#client.db(databaseOf(peer));
    this.#broker = broker;
  }

  /** Prepares both databases and what is installed, but starts nothing yet. */
  static async prepare(peer: PeerName, servers: Servers, driver: Driver): Promise<Pipeline> {
    const folder = path.join(servers.folder, 'peers', peer);
    await mkdir(folder, { recursive: true });
    const { parts, broker } = await partsOf(peer, servers, folder);
    const pipeline = new Pipeline(peer, servers, driver, parts, broker);
    await pipeline.#setUp();
    return pipeline;
  }

  /** Starts all parts. Resolves with the seconds until a first document is in the graph. */
  async start(): Promise<number> {
    const startedAt = performance.now();
    for (const part of this.parts) this.#running.set(part.name, await part.start());
    const round = 'first';
    await this.write({ round, perSecond: 1, seconds: 1 });
    await this.untilApplied({ round, symbols: 1, revisions: 0 });
    return (performance.now() - startedAt) / 1_000;
  }

  async kill(part: Part): Promise<void> {
    await this.#running.get(part.name)?.kill();
  }

  async startAgain(part: Part): Promise<void> {
    this.#running.set(part.name, await part.start());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.stop()));
    await this.db.dropDatabase();
    await this.#client.close();
  }

  /** Starts a service that writes. `committed` is called for some single inserts. */
  startWriter(write: WriteOrder, committed: (line: Committed) => void = () => undefined): Writer {
    return new Writer(this.#orderOf({ write }), committed);
  }

  async write(write: WriteOrder, committed?: (line: Committed) => void): Promise<void> {
    await this.startWriter(write, committed).ended;
  }

  /** Resolves when the graph has all symbols of a round in their last state. */
  async untilApplied({ round, symbols, revisions }: Expected): Promise<void> {
    const statement =
      `MATCH (s:${namesOf(this.peer).symbol} {round: $round}) ` +
      'RETURN count(s) AS symbols, sum(s.revision) AS revisions';
    const isApplied = async () => {
      const { records } = await this.#driver.executeQuery(statement, { round });
      const [found] = records;
      const isThere = Number(found?.get('symbols')) === symbols && Number(found?.get('revisions')) === revisions;
      return isThere || undefined;
    };
    await waitUntil(isApplied, { timeoutSeconds: 300, pollMillis: 50, what: `${this.peer} to apply ${round}` });
  }

  /** Ids of the given symbols that the graph has. */
  async present(ids: readonly string[]): Promise<readonly string[]> {
    const statement = `UNWIND $ids AS id MATCH (s:${namesOf(this.peer).symbol} {id: id}) RETURN s.id AS id`;
    const { records } = await this.#driver.executeQuery(statement, { ids });
    return records.map((record) => record.get('id'));
  }

  differences(): Promise<Differences> {
    return findDifferences(this.peer, this.db, this.#driver);
  }

  get pids(): readonly number[] {
    return [...this.#running.values()].map(({ pid }) => pid);
  }

  /** Megabytes of its processes, shared memory divided among those that share it. */
  async megabytes(): Promise<number> {
    const all = await Promise.all(this.pids.map(kilobytesOf));
    return all.reduce((sum, one) => sum + one, 0) / 1_024;
  }

  async #setUp(): Promise<void> {
    const { symbol, file } = namesOf(this.peer);
    await this.db.collection(symbolsCollection).createIndex({ round: 1, batch: 1 });
    if (this.peer === 'outgraph')
      await setUpOnce(readSettings(setUpSettings, outgraphSettings(this.#servers)), catalog);
    else
      for (const label of [symbol, file])
        await this.#driver.executeQuery(`CREATE CONSTRAINT FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
    await this.#driver.executeQuery(`CREATE INDEX FOR (s:${symbol}) ON (s.round)`);
    await this.#driver.executeQuery('CALL db.awaitIndexes()');
  }

  #orderOf(more: Pick<PeerOrder, 'write'>): PeerOrder {
    const { mongodbUri, neo4jUri } = this.#servers;
    return { peer: this.peer, mongodbUri, neo4jUri, ...(this.#broker && { broker: this.#broker }), ...more };
  }
}

/** A service that writes, in a process of its own. */
export class Writer {
  /** Resolves also if it was killed. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor(order: PeerOrder, committed: (line: Committed) => void) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'writer-process.ts')], {
      env: { ...process.env, [orderVariable]: JSON.stringify(order) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface(child.stdout).on('line', (line) => committed(JSON.parse(line)));
    this.ended = once(child, 'close').then(([code]) => {
      if (code !== 0 && code !== null) throw new Error(`The writer exited with ${code}.`);
    });
    this.#child = child;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function outgraphSettings({ mongodbUri, neo4jUri }: Servers): Readonly<Record<string, string>> {
  return {
    MONGODB_URI: mongodbUri,
    MONGODB_DATABASE: databaseOf('outgraph'),
    NEO4J_URI: neo4jUri,
    NEO4J_USERNAME: '',
    NEO4J_PASSWORD: '',
  };
}

async function partsOf(
  peer: PeerName,
  servers: Servers,
  folder: string,
): Promise<{ readonly parts: readonly Part[]; readonly broker?: string }> {
  const { mongodbUri, neo4jUri } = servers;
  const node = (name: string, args: readonly string[], env: Readonly<Record<string, string>>): Part => ({
    name,
    start: async () =>
      startInBackground({
        name,
        command: process.execPath,
        args,
        cwd: folder,
        env,
        logFile: path.join(servers.logsFolder, `${peer}-${name}.log`),
      }),
  });
  const script = (name: string, broker?: string) => {
    const order: PeerOrder = { peer, mongodbUri, neo4jUri, ...(broker && { broker }) };
    const file = path.join(import.meta.dirname, `${name}-process.ts`);
    return node(name, [file], { [orderVariable]: JSON.stringify(order) });
  };
  switch (peer) {
    case 'outgraph': {
      const cli = path.join(projectRoot, 'cli/outgraph.ts');
      const settings = { ...outgraphSettings(servers), OUTGRAPH_CATALOG: path.join(import.meta.dirname, 'catalog.ts') };
      return { parts: [node('worker', [cli, 'worker', '--port', '0'], settings)] };
    }
    case 'kafka': {
      const kafka = await prepareKafka(folder, peer, mongodbUri);
      const parts = [
        { name: 'broker', start: kafka.startBroker },
        { name: 'connect', start: kafka.startConnect },
        script('sink', kafka.broker),
      ];
      return { parts, broker: kafka.broker };
    }
    case 'stream':
      return { parts: [script('stream')] };
    case 'dual':
      return { parts: [] };
  }
}

/** https://www.kernel.org/doc/html/latest/filesystems/proc.html: the proportional share of memory */
async function kilobytesOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

/** Symbols that the groups of a stream leave: of ten batches two are deleted and eight changed. */
export function expectedOf(round: string, groups: number): Expected {
  const perBatch = symbolsOf(round, 0).length;
  return { round, symbols: groups * 8 * perBatch, revisions: groups * 8 * perBatch };
}

/** Events of one group: ten batches inserted, and then each changed or deleted once. */
export const eventsPerGroup = 20 * symbolsOf('', 0).length;
