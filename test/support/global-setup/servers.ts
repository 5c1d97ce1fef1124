/**
 * Global set-up of the projects whose tests need servers. The first project starts them and the
 * last one to finish stops them. Vitest runs the set-up of every project in one process, but loads
 * its modules once per project: what the projects share is kept on `globalThis`.
 */
import path from 'node:path';
import { MongoClient } from 'mongodb';
import type { TestProject } from 'vitest/node';
import { readSettings, setUpSettings } from '../../../lib/runtime/settings.ts';
import { setUpOnce } from '../../../lib/set-up/wiring.ts';
import { type Servers, startServers } from '../../../tools/local/servers.ts';
import {
  deployOn,
  describeServers,
  type ServersDescription,
  type StackDescription,
} from '../../../tools/local/stack.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { shareOutboxId } from '../outbox-id.ts';
import { Neo4jPool } from './neo4j-pool.ts';
import { type RequestServer, serveRequests } from './requests.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The servers for the tests; absent in projects that need none. */
    servers?: ServersDescription;
    /** Address for requests of tests to the set-up. */
    requestsUrl?: string;
  }
}

interface TestServers {
  readonly servers: Servers;
  readonly pool: Neo4jPool;
  readonly requests: RequestServer;
}

/** The deployed functions, and the folder of their logs. */
export type DeployedStack = StackDescription & { readonly logsFolder: string };

const shared = globalThis as { outgraphTestServers?: { readonly started: Promise<TestServers>; users: number } };

export async function setup(project: TestProject): Promise<void> {
  shared.outgraphTestServers ??= { started: startTestServers(), users: 0 };
  shared.outgraphTestServers.users += 1;
  const { servers, pool, requests } = await shared.outgraphTestServers.started;
  const { OUTGRAPH_NEO4J: releaseName } = project.config.env;
  project.provide('servers', {
    ...describeServers(servers),
    ...(releaseName !== undefined && (await ownGraph(pool, releaseName))),
  });
  project.provide('requestsUrl', requests.url);
}

export async function teardown(): Promise<void> {
  const used = shared.outgraphTestServers;
  if (used === undefined) return;
  used.users -= 1;
  if (used.users > 0) return;
  delete shared.outgraphTestServers;
  const started = await used.started.catch(() => undefined);
  started?.requests.close();
  await started?.pool.kill();
  await started?.servers.stop();
}

/** A Neo4j for all files of a project, instead of the one that the other projects share. */
async function ownGraph(pool: Neo4jPool, releaseName: string): Promise<Partial<ServersDescription>> {
  const { uri } = await pool.take(process.pid, releaseName);
  return { neo4jUri: uri, neo4jUsername: null, neo4jPassword: null };
}

async function startTestServers(): Promise<TestServers> {
  const { signal } = new AbortController();
  const wanted = ['mongodb', 'neo4j', 'localstack'] as const;
  const servers = await startServers({ wanted, mongodbMembers: 1, signal, shortLived: true });
  await setUp(describeServers(servers));
  const pool = new Neo4jPool(path.join(servers.folder, 'pool'));
  let deployed: Promise<StackDescription> | undefined;
  const deployOnce = async (): Promise<DeployedStack> => {
    // Deployed only on request, because deployed functions keep the processors busy.
    deployed ??= deployOn(servers, signal);
    return { ...(await deployed), logsFolder: servers.logsFolder };
  };
  const requests = await serveRequests({
    stack: deployOnce,
    'take-neo4j': ([releaseName = ''], owner) => pool.take(Number(owner), releaseName),
    neo4j: ([id = '', action = ''], lines) => pool.act(id, action, String(lines ?? '')),
  });
  return { servers, pool, requests };
}

async function setUp(servers: ServersDescription): Promise<void> {
  const settings = {
    MONGODB_URI: servers.mongodbUri,
    MONGODB_DATABASE: servers.mongodbDatabase,
    NEO4J_URI: servers.neo4jUri,
    NEO4J_USERNAME: servers.neo4jUsername ?? '',
    NEO4J_PASSWORD: servers.neo4jPassword ?? '',
  };
  // The database of the deployed functions, which use the graph that the test databases share.
  const client = new MongoClient(settings.MONGODB_URI);
  await shareOutboxId(client.db(settings.MONGODB_DATABASE)).finally(() => client.close());
  await setUpOnce(readSettings(setUpSettings, settings), catalog);
}
