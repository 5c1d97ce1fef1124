/**
 * The servers of the local stack: starts those that are needed and that the environment does not
 * provide, and stops exactly what it started, however a run ends.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type BackgroundProcess, dismissWatchdog } from './children.ts';
import { checkGiven } from './given-servers.ts';
import { installLocalstack, startLocalstack } from './localstack.ts';
import { installMongod } from './mongod.ts';
import { installNeo4j, startNeo4j } from './neo4j.ts';
import { removeAbandonedRuns, runFolder } from './paths.ts';
import { printStep, type RunStep } from './progress.ts';
import { startRestartableMongodb } from './restartable-mongodb.ts';

/** The servers that a run can need. */
export type ServerName = 'mongodb' | 'neo4j' | 'localstack';

/** The addresses of the servers; empty for one that is not needed. */
export interface ServerAddresses {
  readonly mongodbUri: string;
  readonly neo4jUri: string;
  readonly neo4jUsername: string | null;
  /** Null without authentication. */
  readonly neo4jPassword: string | null;
  readonly endpointUrl: string;
  /** Process ids of the MongoDB servers that were started. */
  readonly mongodPids: readonly number[];
  /** All processes that were started. */
  readonly processes: readonly BackgroundProcess[];
}

/** Something that runs until it is stopped. */
export interface Running {
  /** Rejects when a server exits unexpectedly. */
  readonly broken: Promise<never>;
  /** Stops what was started, and removes its data. */
  readonly stop: () => Promise<void>;
}

/** Running servers. */
export interface Servers extends Running, ServerAddresses {
  /** The folder for the servers' data and logs. Removed at the end. */
  readonly folder: string;
  readonly logsFolder: string;
}

export interface ServersOptions {
  readonly wanted: readonly ServerName[];
  /** Members of the replica set; three can fail over. */
  readonly mongodbMembers: number;
  /** Aborted when the user interrupts: downloads stop at once. */
  readonly signal: AbortSignal;
  /** See {@link Neo4jOptions.shortLived}. */
  readonly shortLived?: boolean | undefined;
  readonly step?: RunStep;
}

/** The server's default: a busy machine is no reason for an election. */
const electionTimeoutMillis = 10_000;

/**
 * A step that undoes something: removing the run's folder, which comes last, or stopping a server.
 */
type Undo = () => Promise<void>;

/**
 * Starts the servers. If a later one fails, everything started before is stopped.
 *
 * @throws StackError with one sentence that says what to install or set.
 */
export async function startServers({
  wanted,
  mongodbMembers,
  signal,
  shortLived = false,
  step = printStep,
}: ServersOptions): Promise<Servers> {
  const undo: Undo[] = [];
  const stop = async () => {
    const [removeFolder, ...stops] = undo.splice(0);
    await Promise.all(stops.map((one) => one()));
    await removeFolder?.();
    dismissWatchdog();
  };
  try {
    const folder = runFolder();
    const logsFolder = path.join(folder, 'logs');
    await removeAbandonedRuns();
    await mkdir(logsFolder, { recursive: true });
    undo.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    const addresses = await start({ wanted, mongodbMembers, signal, shortLived, step }, folder, logsFolder, undo);
    signal.throwIfAborted();
    const broken = Promise.race(addresses.processes.map((process) => process.ended));
    broken.catch(() => undefined);
    return { ...addresses, folder, logsFolder, broken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Downloads concurrently, then starts concurrently. The first failure stops the other downloads.
 */
async function start(
  options: Required<ServersOptions>,
  folder: string,
  logsFolder: string,
  undo: Undo[],
): Promise<ServerAddresses> {
  const { signal, step, wanted, mongodbMembers, shortLived } = options;
  const { MONGODB_URI, NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, AWS_ENDPOINT_URL } = process.env;
  await checkGiven({ MONGODB_URI, NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, AWS_ENDPOINT_URL });
  const missing = (server: ServerName, given: string | undefined) => wanted.includes(server) && given === undefined;
  const failed = new AbortController();
  const downloading = AbortSignal.any([signal, failed.signal]);
  const download = async <Installed>(
    wanted: boolean,
    install: (step: RunStep, signal: AbortSignal) => Promise<Installed>,
  ) => {
    try {
      return wanted ? await install(step, downloading) : undefined;
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  const [mongodBinary, neo4jInstallation, localstackFolder] = await Promise.all([
    download(missing('mongodb', MONGODB_URI), installMongod),
    download(missing('neo4j', NEO4J_URI), (step, signal) => installNeo4j(step, signal, { shortLived })),
    download(missing('localstack', AWS_ENDPOINT_URL), installLocalstack),
  ]);
  signal.throwIfAborted();

  const processes: BackgroundProcess[] = [];
  const keep = (process: BackgroundProcess) => {
    processes.push(process);
    // A short-lived Neo4j need not save its data before it ends.
    undo.push(shortLived && process.name === 'Neo4j' ? process.kill : process.stop);
  };
  // After an interruption, nothing waits for servers to start, or to save data that is removed
  // anyway.
  signal.addEventListener('abort', () => void Promise.all(processes.map((process) => process.kill())), { once: true });
  const started = await step('Starting the servers', () =>
    Promise.allSettled([
      mongodBinary === undefined
        ? undefined
        : startRestartableMongodb({
            binary: mongodBinary,
            folder,
            logsFolder,
            members: mongodbMembers,
            electionTimeoutMillis,
            keep,
          }),
      neo4jInstallation === undefined
        ? undefined
        : startNeo4j(neo4jInstallation, folder, path.join(logsFolder, 'neo4j.log'), keep, { shortLived }),
      localstackFolder === undefined ? undefined : startLocalstack(localstackFolder, folder, logsFolder, keep),
    ]),
  );
  const [mongodb, neo4j, localstack] = started;
  for (const one of started) if (one.status === 'rejected') throw one.reason;
  const settledValue = <Value>(one: PromiseSettledResult<Value>) =>
    one.status === 'fulfilled' ? one.value : undefined;
  return {
    mongodbUri: MONGODB_URI ?? settledValue(mongodb)?.uri ?? '',
    mongodPids: settledValue(mongodb)?.members.map(({ pid }) => pid) ?? [],
    neo4jUri: NEO4J_URI ?? settledValue(neo4j)?.uri ?? '',
    neo4jUsername: NEO4J_URI === undefined ? null : (NEO4J_USERNAME ?? null),
    neo4jPassword: NEO4J_URI === undefined ? null : (NEO4J_PASSWORD ?? null),
    endpointUrl: AWS_ENDPOINT_URL ?? settledValue(localstack)?.endpointUrl ?? '',
    processes,
  };
}
