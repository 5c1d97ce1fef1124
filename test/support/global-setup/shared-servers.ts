/**
 * The servers of a test run. The first project that needs them starts them, and the last one to finish stops them.
 * Vitest runs the global set-up of every project in one process, but loads its modules once per project: what the
 * projects share is kept on `globalThis`.
 */
import path from 'node:path';
import { type Servers, startServers } from '../../../infra/local/servers.ts';
import { deployOn, type StackDescription } from '../../../infra/local/stack.ts';
import { type Neo4jPool, serveNeo4jPool } from './neo4j-pool.ts';

interface Shared {
  readonly servers: Promise<Servers>;
  pool?: Promise<Neo4jPool>;
  stack?: Promise<StackDescription>;
  users: number;
}

const holder = globalThis as { outgraphTestServers?: Shared };
const { signal } = new AbortController();

/** Starts a replica set of three members, Neo4j and LocalStack, unless they run already. */
export function acquireServers(): Promise<Servers> {
  const started = () => startServers({ wanted: ['mongodb', 'neo4j', 'localstack'], mongodbMembers: 3, signal });
  holder.outgraphTestServers ??= { servers: started(), users: 0 };
  holder.outgraphTestServers.users += 1;
  return holder.outgraphTestServers.servers;
}

/** Serves Neo4j servers that test files have to themselves, unless that is done already. */
export async function servePoolOnce({ folder }: Servers): Promise<Neo4jPool> {
  const shared = sharedOf();
  shared.pool ??= serveNeo4jPool(path.join(folder, 'pool'));
  return shared.pool;
}

/** Deploys the functions to the servers, unless that was done already. */
export async function deployOnce(servers: Servers): Promise<StackDescription> {
  const shared = sharedOf();
  shared.stack ??= deployOn(servers, signal);
  return shared.stack;
}

/** Stops the servers when nothing uses them any more. */
export async function releaseServers(): Promise<void> {
  const shared = holder.outgraphTestServers;
  if (shared === undefined) return;
  shared.users -= 1;
  if (shared.users > 0) return;
  delete holder.outgraphTestServers;
  const [servers, pool] = await Promise.all([shared.servers, shared.pool]).catch(() => []);
  await pool?.stop();
  await servers?.stop();
}

function sharedOf(): Shared {
  if (holder.outgraphTestServers === undefined) throw new Error('Acquire the servers first.');
  return holder.outgraphTestServers;
}
