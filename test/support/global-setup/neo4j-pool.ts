/**
 * Neo4j servers that a test file has to itself: to compare the whole graph, or to stop, kill and pause the server.
 * Starting one costs ten seconds of a processor, so they outlive the file: each of vitest's worker slots, which runs
 * one file at a time, has its own, and the next file in that slot gets it empty. Tests reach the pool over HTTP,
 * because they run in other processes than the global set-up.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import neo4j from 'neo4j-driver';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../../infra/local/neo4j.ts';

/** What a test may do to its server; `take` starts it, or empties it if it runs. */
export type PoolAction = 'take' | 'start' | 'stop' | 'kill' | 'pause' | 'resume' | 'configure';

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

export interface Neo4jPool {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Serves `POST /<slot>/<action>`. The servers' data goes below `folder`. */
export async function serveNeo4jPool(folder: string): Promise<Neo4jPool> {
  const pool = new Map<string, Pooled>();
  const serve = async (request: IncomingMessage): Promise<PooledAddress | undefined> => {
    const [, slot = '', action] = (request.url ?? '').split('/') as [string, string?, PoolAction?];
    const pooled = pool.get(slot);
    if (action === 'take') {
      if (pooled === undefined) pool.set(slot, await start(path.join(folder, slot)));
      else await empty(pooled);
      const { uri, folder: own } = pool.get(slot) as Pooled;
      return { uri, folder: own };
    }
    if (pooled === undefined || action === undefined) throw new Error(`Take ${slot} first.`);
    pooled.isTouched = true;
    const { server, configure } = pooled.neo4j;
    if (action === 'configure') configure(JSON.parse(await text(request)));
    else await server[action]();
    return undefined;
  };
  const server = createServer((request, response) => {
    serve(request).then(
      (answer) => response.end(JSON.stringify(answer ?? null)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.all([...pool.values()].map(({ neo4j }) => neo4j.server.stop()));
    },
  };
}

async function start(folder: string): Promise<Pooled> {
  const neo4j = await startRestartableNeo4j(folder, (_, step) => step(), new AbortController().signal);
  return { neo4j, folder, uri: neo4j.uri, isTouched: false };
}

/** Leaves no data, constraint, index or setting of the file before. */
async function empty(pooled: Pooled): Promise<void> {
  if (pooled.isTouched) {
    await pooled.neo4j.server.kill();
    pooled.neo4j.configure([]);
    await pooled.neo4j.server.start();
    pooled.isTouched = false;
  }
  const driver = neo4j.driver(pooled.uri);
  try {
    await driver.session().run('MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS');
    // Constraints first: the index of one cannot be dropped by itself.
    for (const kind of ['CONSTRAINT', 'INDEX']) {
      const { records } = await driver.executeQuery(`SHOW ${kind}S YIELD name, type WHERE type <> 'LOOKUP'`);
      for (const record of records) await driver.executeQuery(`DROP ${kind} \`${record.get('name')}\` IF EXISTS`);
    }
  } finally {
    await driver.close();
  }
}
