/** The whole local stack: MongoDB, Neo4j and LocalStack, set up and with the functions deployed. */
import path from 'node:path';
import { type Deployment, type DeploymentTarget, deploy, invokeOnce } from './deploy.ts';
import { printStep } from './progress.ts';
import { type Running, type Servers, type ServersOptions, startServers } from './servers.ts';

/** The addresses of the servers, and the database that outgraph uses on them. */
export interface ServersDescription {
  readonly mongodbUri: string;
  readonly mongodbDatabase: string;
  readonly neo4jUri: string;
  readonly neo4jUsername: string | null;
  /** Null without authentication. */
  readonly neo4jPassword: string | null;
  readonly awsEndpointUrl: string;
  readonly awsRegion: string;
}

/** The description of the stack that `npm run stack` writes to `.outgraph/stack.json`. */
export interface StackDescription extends ServersDescription, Deployment {
  /** Process ids of what was started; null (or none) for a server that the environment provides. */
  readonly pids: {
    readonly mongod: readonly number[];
    readonly neo4j: number | null;
    readonly localstack: number | null;
  };
}

/** A running stack. */
export interface Stack extends Running {
  readonly description: StackDescription;
  /** Logs of the servers and of the functions. */
  readonly logsFolder: string;
}

/** Aborting the signal also stops the deployment. */
export type StackOptions = Pick<ServersOptions, 'mongodbMembers' | 'shortLived' | 'signal'>;

/**
 * Starts the stack. If a later step fails, everything started before is stopped.
 *
 * @throws StackError with one sentence that says what to install or set.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const servers = await startServers({ wanted: ['mongodb', 'neo4j', 'localstack'], ...options });
  try {
    const description = await deployOn(servers, options.signal);
    const { logsFolder, broken, stop } = servers;
    return { description, logsFolder, broken, stop };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Describes running servers. */
export function describeServers(servers: Servers): ServersDescription {
  const { mongodbUri, neo4jUri, neo4jUsername, neo4jPassword, endpointUrl } = servers;
  return {
    mongodbUri,
    mongodbDatabase: process.env.MONGODB_DATABASE ?? 'outgraph',
    neo4jUri,
    neo4jUsername,
    neo4jPassword,
    awsEndpointUrl: endpointUrl,
    awsRegion: process.env.AWS_REGION ?? 'us-east-1',
  };
}

/**
 * Deploys the functions to running servers, and sets up the databases.
 *
 * @throws StackError with the end of the deployment's output.
 */
export async function deployOn(servers: Servers, signal: AbortSignal): Promise<StackDescription> {
  const description = describeServers(servers);
  const target: DeploymentTarget = {
    endpointUrl: description.awsEndpointUrl,
    region: description.awsRegion,
    databases: {
      MONGODB_URI: description.mongodbUri,
      MONGODB_DATABASE: description.mongodbDatabase,
      NEO4J_URI: description.neo4jUri,
      NEO4J_USERNAME: description.neo4jUsername ?? '',
      NEO4J_PASSWORD: description.neo4jPassword ?? '',
      NEO4J_DATABASE: process.env.NEO4J_DATABASE ?? '',
    },
    logFile: path.join(servers.logsFolder, 'deploy.log'),
    signal,
  };
  const deployment = await printStep('Packaging and deploying the functions, and setting up the databases', () =>
    deploy(target),
  );
  await invokeOnce(target, deployment.functions.publisher);
  const pidOf = (name: string) => servers.processes.find((process) => process.name === name)?.pid ?? null;
  const pids = { mongod: servers.mongodPids, neo4j: pidOf('Neo4j'), localstack: pidOf('LocalStack') };
  return { ...description, ...deployment, pids };
}
