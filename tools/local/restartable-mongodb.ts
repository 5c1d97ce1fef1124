/**
 * A replica set whose members can be killed, paused and started again one by one. The members know
 * each other by given addresses, so that all their clients can be routed through proxies: drivers
 * and members use the addresses of the replica set's configuration.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { type BackgroundProcess, type KeepProcess, startInBackground } from './children.ts';
import { freePort } from './free-port.ts';
import { RestartableServer } from './restartable-server.ts';
import { StackError } from './stack-error.ts';
import { waitForStart } from './wait-for-start.ts';
import { waitUntil } from './wait-until.ts';

const setName = 'rs0';

/**
 * A secondary that gets no heartbeat from the primary for this long starts an election: a fifth of
 * the default, so that a test need not wait ten seconds.
 */
const quickElectionMillis = 2_000;

export interface RestartableReplicaSet {
  readonly uri: string;
  readonly members: readonly RestartableServer[];
  /**
   * Resolves once every member takes part again. Then another one may be stopped, and two remain.
   */
  readonly untilHealthy: () => Promise<void>;
  /** The current primary. Waits for an election to end. */
  readonly primary: () => Promise<RestartableServer>;
  readonly stop: () => Promise<void>;
}

export interface ReplicaSetOptions {
  readonly binary: string;
  /** The folder for the members' data. */
  readonly folder: string;
  readonly logsFolder: string;
  readonly members: number;
  readonly extraArgs?: readonly string[];
  /** The address by which others know the member that listens on a port; its own by default. */
  readonly addressOf?: (port: number) => Promise<string>;
  readonly electionTimeoutMillis?: number;
  /** Called with each member before it answers. */
  readonly keep?: KeepProcess;
}

/** Starts the members and makes them one set. Resolves once it has a primary. */
export async function startRestartableMongodb(options: ReplicaSetOptions): Promise<RestartableReplicaSet> {
  const { addressOf = async (port) => `127.0.0.1:${port}`, electionTimeoutMillis = quickElectionMillis } = options;
  const ports = await Promise.all(Array.from({ length: options.members }, freePort));
  const members = await Promise.all(ports.map((port) => RestartableServer.start(() => startMember(options, port))));
  const stop = async () => {
    await Promise.all(members.map((member) => member.stop()));
  };
  try {
    const hosts = await Promise.all(ports.map(addressOf));
    await initiate(ports[0] ?? 0, hosts, electionTimeoutMillis);
    const primary = async () => {
      const port = await primaryPort(ports);
      return members[ports.indexOf(port)] as RestartableServer;
    };
    const untilHealthy = () => untilAllTakePart(ports);
    await untilHealthy();
    return { uri: `mongodb://${hosts.join()}/?replicaSet=${setName}`, members, primary, untilHealthy, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startMember(
  { binary, folder, logsFolder, extraArgs = [], keep = () => undefined }: ReplicaSetOptions,
  port: number,
): Promise<BackgroundProcess> {
  const logFile = path.join(logsFolder, `mongod-${port}.log`);
  const data = path.join(folder, `mongod-${port}`);
  await mkdir(data, { recursive: true });
  const options = ['--wiredTigerCacheSizeGB', '0.5', '--nounixsocket', ...extraArgs];
  const process = startInBackground({
    name: 'mongod',
    command: binary,
    args: ['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', setName, ...options],
    cwd: data,
    logFile,
  });
  keep(process);
  await waitForStart(() => ask(port, { hello: 1 }), { process, logFile, pollMillis: 50 });
  return process;
}

/** Writes files and waits until they are on the disk, which a busy machine does slowly. */
const initiateMillis = 120_000;

async function initiate(port: number, hosts: readonly string[], electionTimeoutMillis: number): Promise<void> {
  const config = {
    _id: setName,
    members: hosts.map((host, _id) => ({ _id, host })),
    settings: { electionTimeoutMillis, heartbeatIntervalMillis: electionTimeoutMillis / 4 },
  };
  await ask(port, { replSetInitiate: config }, initiateMillis);
}

/** The port of the member that is the primary, with which the set agrees. */
function primaryPort(ports: readonly number[]): Promise<number> {
  const look = async () => {
    const answers = await Promise.allSettled(ports.map((port) => ask(port, { hello: 1 })));
    const index = answers.findIndex(
      (answer) => answer.status === 'fulfilled' && answer.value.isWritablePrimary === true,
    );
    return ports[index];
  };
  return waitForSet(look, 'has no primary');
}

/** https://www.mongodb.com/docs/manual/reference/replica-states/ */
const takesPart: ReadonlySet<unknown> = new Set([1, 2]);

async function untilAllTakePart(ports: readonly number[]): Promise<void> {
  const look = async () => {
    const { members } = await ask(await primaryPort(ports), { replSetGetStatus: 1 });
    return members.every(({ state }: { state: unknown }) => takesPart.has(state)) || undefined;
  };
  await waitForSet(look, 'has members that do not take part');
}

const setSeconds = 180;

async function waitForSet<Answer>(look: () => Promise<Answer | undefined>, problem: string): Promise<Answer> {
  return waitUntil(look, { timeoutSeconds: setSeconds, pollMillis: 50, what: 'the replica set' }).catch(() => {
    throw new StackError(
      `The replica set ${problem} after ${setSeconds} seconds: stop other work on the machine and try again.`,
    );
  });
}

async function ask(port: number, command: Record<string, unknown>, socketTimeoutMS = 5_000) {
  const times = { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000, socketTimeoutMS };
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, times);
  try {
    return await client.db('admin').command(command);
  } finally {
    await client.close();
  }
}
