/**
 * The servers of a test run. The first project that needs them starts them, and the last one to finish stops them.
 * Vitest runs the global set-up of every project in one process, but loads its modules once per project: what the
 * projects share is kept on `globalThis`.
 */
import { type Servers, startServers } from '../../../infra/local/servers.ts';
import { deployOn, type StackDescription } from '../../../infra/local/stack.ts';

interface Shared {
  readonly servers: Promise<Servers>;
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

/** Deploys the functions to the servers, unless that was done already. */
export async function deployOnce(servers: Servers): Promise<StackDescription> {
  const shared = holder.outgraphTestServers;
  if (shared === undefined) throw new Error('Acquire the servers first.');
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
  const servers = await shared.servers.catch(() => undefined);
  await servers?.stop();
}
