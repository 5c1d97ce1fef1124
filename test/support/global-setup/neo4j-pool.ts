/**
 * Neo4j servers for one test file at a time, for tests that compare the whole graph or that stop,
 * kill or pause the server. Starting one keeps a processor busy for seconds, so servers outlive
 * their test files: the next file gets an emptied server whose file has released it or whose
 * process has exited.
 */
import path from 'node:path';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../../tools/local/neo4j.ts';
import { neo4jRelease } from '../../../tools/local/neo4j-releases.ts';
import { isAlive } from '../../../tools/local/paths.ts';
import { connectGraph } from '../connect-graph.ts';
import { emptyGraph } from '../graph-dump.ts';

/** The actions that a test may take on its server. */
const poolActions = ['start', 'stop', 'kill', 'pause', 'resume', 'release', 'configure'] as const;
export type PoolAction = (typeof poolActions)[number];

/** The response to `take`. */
export interface PooledAddress {
  readonly id: string;
  readonly uri: string;
  /** The folder for the server's data and a test's own files. */
  readonly folder: string;
}

interface Pooled extends PooledAddress {
  readonly releaseName: string;
  readonly neo4j: RestartableNeo4j;
  /** Process id of the test file; null once it has released the server. */
  owner: number | null;
  /** Whether a test changed the server's process. */
  isTouched: boolean;
}

export class Neo4jPool {
  readonly #folder: string;
  readonly #servers: Pooled[] = [];
  #started = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Returns an empty server of this release for the process. Starts one if all others are in use.
   */
  async take(owner: number, releaseName: string): Promise<PooledAddress> {
    const free = this.#servers.find(
      (one) => one.releaseName === releaseName && (one.owner === null || !isAlive(one.owner)),
    );
    const { id, uri, folder } = free === undefined ? await this.#start(owner, releaseName) : free;
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

  /** Kills the servers. Their data is not needed any more. */
  async kill(): Promise<void> {
    await Promise.all(this.#servers.map(({ neo4j }) => neo4j.server.kill()));
  }

  async #start(owner: number, releaseName: string): Promise<Pooled> {
    this.#started += 1;
    const id = String(this.#started);
    const folder = path.join(this.#folder, id);
    const { signal } = new AbortController();
    const release = neo4jRelease(releaseName);
    const neo4j = await startRestartableNeo4j(folder, (_, step) => step(), signal, { shortLived: true, release });
    const pooled = { id, releaseName, neo4j, folder, uri: neo4j.uri, owner, isTouched: false };
    this.#servers.push(pooled);
    return pooled;
  }
}

const isPoolAction = (text: string): text is PoolAction => (poolActions as readonly string[]).includes(text);

/** Removes all data, constraints and indexes of the last file. */
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
