/**
 * The whole local stack: MongoDB, Neo4j and LocalStack, set up and with the functions deployed. Starts what the environment does not already
 * give, and ends exactly what it started, in every way a run can end.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setUp } from '../set-up.ts';
import { type BackgroundProcess, dismissWatchdog } from './children.ts';
import { type Deployment, type DeploymentTarget, deploy, invokeOnce } from './deploy.ts';
import { checkGiven } from './given-servers.ts';
import { installLocalstack, startLocalstack } from './localstack.ts';
import { installMongod, startMongodb } from './mongod.ts';
import { installNeo4j, startNeo4j } from './neo4j.ts';
import { runFolder } from './paths.ts';
import { printStep, type RunStep } from './progress.ts';

/** How to reach the stack: what `npm run stack` writes to `.outgraph/stack.json`. */
export interface StackDescription {
  readonly mongodbUri: string;
  readonly mongodbDatabase: string;
  readonly neo4jUri: string;
  readonly neo4jUsername: string | null;
  /** Null without authentication. */
  readonly neo4jPassword: string | null;
  readonly awsEndpointUrl: string;
  readonly awsRegion: string;
  readonly eventBusName: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  /** The deployed functions' names. */
  readonly functions: Deployment['functions'];
  /** Process ids of what was started; null (or none) for a server that the environment gave. */
  readonly pids: {
    readonly mongod: readonly number[];
    readonly neo4j: number | null;
    readonly localstack: number | null;
  };
}

/** A stack that runs. */
export interface Stack {
  readonly description: StackDescription;
  /** Logs of the servers and of the functions. */
  readonly logsFolder: string;
  /** Rejects when a server ends by itself. */
  readonly broken: Promise<never>;
  /** Ends what was started, and removes its data. */
  readonly stop: () => Promise<void>;
}

export interface StackOptions {
  /** Members of the replica set; three can fail over. */
  readonly mongodbMembers: number;
  /** Aborted when the user breaks off: downloads and the deployment end at once. */
  readonly signal: AbortSignal;
  readonly step?: RunStep;
}

/** Something to undo, the last one first. */
type Undo = () => Promise<void>;

/**
 * Starts the stack. Whatever was started is ended again if a later step fails.
 *
 * @throws StackError: one sentence that says what to install or set.
 */
export async function startStack({ mongodbMembers, signal, step = printStep }: StackOptions): Promise<Stack> {
  const undo: Undo[] = [];
  const stop = async () => {
    for (const one of undo.splice(0).reverse()) await one();
    dismissWatchdog();
  };
  try {
    return await start({ mongodbMembers, signal, step }, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: Required<StackOptions>, undo: Undo[], stop: () => Promise<void>): Promise<Stack> {
  const { signal, step } = options;
  const folder = runFolder();
  const logsFolder = path.join(folder, 'logs');
  await mkdir(logsFolder, { recursive: true });
  undo.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

  const servers = await startServers(options, folder, logsFolder, undo);
  signal.throwIfAborted();
  const { mongodbUri, neo4jUri, neo4jUsername, neo4jPassword, endpointUrl } = servers;
  const database = process.env.MONGODB_DATABASE ?? 'outgraph';
  const neo4jDatabase = process.env.NEO4J_DATABASE ?? 'neo4j';
  const environment = {
    MONGODB_URI: mongodbUri,
    MONGODB_DATABASE: database,
    NEO4J_URI: neo4jUri,
    NEO4J_USERNAME: neo4jUsername ?? '',
    NEO4J_PASSWORD: neo4jPassword ?? '',
    NEO4J_DATABASE: neo4jDatabase,
  };
  await step('Setting up the outbox and the graph', () => setUp({ ...environment, PROCESSED_RETENTION_DAYS: 7 }));
  const region = process.env.AWS_REGION ?? 'us-east-1';
  const target: DeploymentTarget = {
    endpointUrl,
    region,
    environment,
    logFile: path.join(logsFolder, 'deploy.log'),
    signal,
  };
  const deployment = await step('Packaging and deploying the functions', () => deploy(target));
  await invokeOnce(target, deployment.functions.publisher);

  const { processes, mongodPids } = servers;
  const pidOf = (name: string) => processes.find((process) => process.name === name)?.pid ?? null;
  const broken = Promise.race(processes.map((process) => process.ended));
  broken.catch(() => undefined);
  return {
    description: {
      mongodbUri,
      mongodbDatabase: database,
      neo4jUri,
      neo4jUsername,
      neo4jPassword,
      awsEndpointUrl: endpointUrl,
      awsRegion: region,
      ...deployment,
      pids: { mongod: mongodPids, neo4j: pidOf('Neo4j'), localstack: pidOf('LocalStack') },
    },
    logsFolder,
    broken,
    stop,
  };
}

interface Servers {
  readonly mongodbUri: string;
  readonly mongodPids: readonly number[];
  readonly neo4jUri: string;
  readonly neo4jUsername: string | null;
  readonly neo4jPassword: string | null;
  readonly endpointUrl: string;
  readonly processes: readonly BackgroundProcess[];
}

/** Installs one after the other, so that the first failure is the only one; starts side by side. */
async function startServers(
  options: Required<StackOptions>,
  folder: string,
  logsFolder: string,
  undo: Undo[],
): Promise<Servers> {
  const { signal, step, mongodbMembers } = options;
  const { MONGODB_URI, NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, AWS_ENDPOINT_URL } = process.env;
  await checkGiven({ MONGODB_URI, NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, AWS_ENDPOINT_URL });
  const mongodBinary = MONGODB_URI === undefined ? await installMongod(step, signal) : undefined;
  const neo4jFolder = NEO4J_URI === undefined ? await installNeo4j(step, signal) : undefined;
  const localstackFolder = AWS_ENDPOINT_URL === undefined ? await installLocalstack(step, signal) : undefined;
  signal.throwIfAborted();

  const processes: BackgroundProcess[] = [];
  const keep = (process: BackgroundProcess) => {
    processes.push(process);
    undo.push(process.stop);
  };
  // Broken off while they start, nobody waits until they are up.
  signal.addEventListener('abort', () => void Promise.all(processes.map((process) => process.stop())), { once: true });
  const started = await step('Starting the servers', () =>
    Promise.allSettled([
      mongodBinary === undefined
        ? undefined
        : startMongodb(mongodBinary, folder, mongodbMembers).then((servers) => {
            undo.push(servers.stop);
            return servers;
          }),
      neo4jFolder === undefined ? undefined : startNeo4j(neo4jFolder, folder, path.join(logsFolder, 'neo4j.log'), keep),
      localstackFolder === undefined ? undefined : startLocalstack(localstackFolder, folder, logsFolder, keep),
    ]),
  );
  const [mongodb, neo4j, localstack] = started;
  for (const one of started) if (one.status === 'rejected') throw one.reason;
  const settledValue = <Value>(one: PromiseSettledResult<Value>) =>
    one.status === 'fulfilled' ? one.value : undefined;
  return {
    mongodbUri: MONGODB_URI ?? settledValue(mongodb)?.uri ?? '',
    mongodPids: settledValue(mongodb)?.pids ?? [],
    neo4jUri: NEO4J_URI ?? settledValue(neo4j)?.uri ?? '',
    neo4jUsername: NEO4J_URI === undefined ? null : (NEO4J_USERNAME ?? null),
    neo4jPassword: NEO4J_URI === undefined ? null : (NEO4J_PASSWORD ?? null),
    endpointUrl: AWS_ENDPOINT_URL ?? settledValue(localstack)?.endpointUrl ?? '',
    processes,
  };
}
