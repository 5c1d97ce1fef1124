/**
 * Neo4j servers that a test file has to itself: to compare the whole graph, or to stop, kill and pause the server.
 * Starting one keeps a processor busy for seconds, so they outlive the file: each of vitest's worker slots, which runs
 * one file at a time, has its own, and the next file in that slot gets it empty.
 */
import path from 'node:path';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../../infra/local/neo4j.ts';
import { connectGraph } from '../connect-graph.ts';
import { emptyGraph } from '../graph-dump.ts';

/** What a test may do to its server; `take` starts it, or empties it if it runs. */
export const poolActions = ['take', 'start', 'stop', 'kill', 'pause', 'resume', 'configure'] as const;
export type PoolAction = (typeof poolActions)[number];

/** The answer to `take`. */
export interface PooledAddress {
  readonly uri: string;
  /** Below it: the server's data, and what the test adds. */
  readonly folder: string;
}

interface Pooled extends PooledAddress {
  readonly neo4j: RestartableNeo4j;
  /** A test changed its process or its settings. */
  isTouched: boolean;
}

export class Neo4jPool {
  readonly #folder: string;
  readonly #servers = new Map<string, Pooled>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param body lines of configuration, with `configure`. */
  async act(slot: string, action: string, body: unknown): Promise<PooledAddress | undefined> {
    if (action === 'take') return this.#take(slot);
    const pooled = this.#servers.get(slot);
    if (pooled === undefined || !isPoolAction(action)) throw new Error(`No ${action} of the Neo4j ${slot}.`);
    pooled.isTouched = true;
    const { server, configure } = pooled.neo4j;
    if (action === 'configure') configure(body as readonly string[]);
    else if (action !== 'take') await server[action]();
    return undefined;
  }

  /** Ends the servers; their data is not needed any more. */
  async kill(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ neo4j }) => neo4j.server.kill()));
  }

  async #take(slot: string): Promise<PooledAddress> {
    const running = this.#servers.get(slot);
    if (running !== undefined) {
      await empty(running);
      return { uri: running.uri, folder: running.folder };
    }
    const folder = path.join(this.#folder, slot);
    const { signal } = new AbortController();
    const neo4j = await startRestartableNeo4j(folder, (_, step) => step(), signal, { shortLived: true });
    this.#servers.set(slot, { neo4j, folder, uri: neo4j.uri, isTouched: false });
    return { uri: neo4j.uri, folder };
  }
}

const isPoolAction = (text: string): text is PoolAction => (poolActions as readonly string[]).includes(text);

/** Leaves no data, constraint, index or setting of the file before. */
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
