/** The whole local stack: MongoDB, Neo4j and LocalStack, set up and with the functions deployed. */
import path from 'node:path';
import { type Deployment, type DeploymentTarget, deploy, invokeOnce } from './deploy.ts';
import { printStep } from './progress.ts';
import { type Running, type Servers, startServers } from './servers.ts';

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
export interface Stack extends Running {
  readonly description: StackDescription;
  /** Logs of the servers and of the functions. */
  readonly logsFolder: string;
}

export interface StackOptions {
  /** Members of the replica set; three can fail over. */
  readonly mongodbMembers: number;
  /** Aborted when the user breaks off: downloads and the deployment end at once. */
  readonly signal: AbortSignal;
}

/**
 * Starts the stack. Whatever was started is ended again if a later step fails.
 *
 * @throws StackError: one sentence that says what to install or set.
 */
export async function startStack({ mongodbMembers, signal }: StackOptions): Promise<Stack> {
  const servers = await startServers({ wanted: ['mongodb', 'neo4j', 'localstack'], mongodbMembers, signal });
  try {
    return await deployOn(servers, signal);
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

async function deployOn(servers: Servers, signal: AbortSignal): Promise<Stack> {
  const { mongodbUri, neo4jUri, neo4jUsername, neo4jPassword, endpointUrl, logsFolder, broken, stop } = servers;
  const database = process.env.MONGODB_DATABASE ?? 'outgraph';
  const neo4jDatabase = process.env.NEO4J_DATABASE ?? 'neo4j';
  const databases = {
    MONGODB_URI: mongodbUri,
    MONGODB_DATABASE: database,
    NEO4J_URI: neo4jUri,
    NEO4J_USERNAME: neo4jUsername ?? '',
    NEO4J_PASSWORD: neo4jPassword ?? '',
    NEO4J_DATABASE: neo4jDatabase,
  };
  const region = process.env.AWS_REGION ?? 'us-east-1';
  const target: DeploymentTarget = {
    endpointUrl,
    region,
    databases,
    logFile: path.join(logsFolder, 'deploy.log'),
    signal,
  };
  const deployment = await printStep('Packaging and deploying the functions, and setting up the databases', () =>
    deploy(target),
  );
  await invokeOnce(target, deployment.functions.publisher);

  const { processes, mongodPids } = servers;
  const pidOf = (name: string) => processes.find((process) => process.name === name)?.pid ?? null;
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
