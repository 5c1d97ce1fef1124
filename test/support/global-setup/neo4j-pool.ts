/**
 * Neo4j servers that a test file has to itself: to compare the whole graph, or to stop, kill and pause the server.
 * Starting one keeps a processor busy for seconds, so they outlive the file that took them: the next file gets one
 * empty whose file has released it, or whose process has ended.
 */
import path from 'node:path';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../../tools/local/neo4j.ts';
import { isAlive } from '../../../tools/local/paths.ts';
import { connectGraph } from '../connect-graph.ts';
import { emptyGraph } from '../graph-dump.ts';

/** What a test may do to its server. */
const poolActions = ['start', 'stop', 'kill', 'pause', 'resume', 'release', 'configure'] as const;
export type PoolAction = (typeof poolActions)[number];

/** The answer to `take`. */
export interface PooledAddress {
  readonly id: string;
  readonly uri: string;
  /** Below it: the server's data, and what the test adds. */
  readonly folder: string;
}

interface Pooled extends PooledAddress {
  readonly neo4j: RestartableNeo4j;
  /** Process id of the test file; null when it has released the server. */
  owner: number | null;
  /** A test changed its process. */
  isTouched: boolean;
}

export class Neo4jPool {
  readonly #folder: string;
  readonly #servers: Pooled[] = [];
  #started = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** An empty server for the process; started if all others are in use. */
  async take(owner: number): Promise<PooledAddress> {
    const free = this.#servers.find((one) => one.owner === null || !isAlive(one.owner));
    const { id, uri, folder } = free === undefined ? await this.#start(owner) : free;
    if (free !== undefined) {
      free.owner = owner;
      await empty(free);
    }
    return { id, uri, folder };
  }

  async act(id: string, action: string, lines = ''): Promise<void> {
    const pooled = this.#servers.find((one) => one.id === id);
    if (pooled === undefined || !isPoolAction(action)) throw new Error(`No ${action} of the Neo4j ${id}.`);
    if (action === 'release') {
      pooled.owner = null;
      return;
    }
    pooled.isTouched = true;
    if (action === 'configure') {
      pooled.neo4j.configure(lines.split('\n'));
      return;
    }
    await pooled.neo4j.server[action]();
  }

  /** Ends the servers; their data is not needed any more. */
  async kill(): Promise<void> {
    await Promise.all(this.#servers.map(({ neo4j }) => neo4j.server.kill()));
  }

  async #start(owner: number): Promise<Pooled> {
    this.#started += 1;
    const id = String(this.#started);
    const folder = path.join(this.#folder, id);
    const { signal } = new AbortController();
    const neo4j = await startRestartableNeo4j(folder, (_, step) => step(), signal, { shortLived: true });
    const pooled = { id, neo4j, folder, uri: neo4j.uri, owner, isTouched: false };
    this.#servers.push(pooled);
    return pooled;
  }
}

const isPoolAction = (text: string): text is PoolAction => (poolActions as readonly string[]).includes(text);

/** Leaves no data, constraint or index of the file before. */
async function empty(pooled: Pooled): Promise<void> {
  if (pooled.isTouched) {
    await pooled.neo4j.server.kill();
    pooled.neo4j.configure([]);
    await pooled.neo4j.server.start();
    pooled.isTouched = false;
  }
  const driver = connectGraph({ neo4jUri: pooled.uri, neo4jUsername: null, neo4jPassword: null });
  try {
    await emptyGraph(driver);
  } finally {
    await driver.close();
  }
}
