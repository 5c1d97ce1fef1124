/**
 * A complete stack for fault injection. Every server can be killed, paused and restarted, and a
 * proxy in front of each can stop at one exact message. The functions are deployed with the real
 * serverless.yml; only their waits are shorter than in production.
 */
import { randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { connectNeo4j } from '../../lib/graph/neo4j-connect.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import type { Checkpoint } from '../../lib/publisher/mongodb-lease.ts';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import { type Deployment, deploy, service, stage } from '../../tools/local/deploy.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../tools/local/neo4j.ts';
import { stackFolder } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../tools/local/restartable-mongodb.ts';
import { type Servers, startServers } from '../../tools/local/servers.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { DeployedFunctions } from './deployed-functions.ts';
import { type FaultyBus, startFaultyBus } from './faulty-bus.ts';
import { type Stop, TcpProxy } from './tcp-proxy.ts';

const region = 'us-east-1';
const database = 'outgraph';

/** Neo4j requires a password, so that tests can rotate it. */
export const neo4jUser = 'neo4j';

/** The consumer's time-out: the shortest that lets a batch finish. */
const consumerSeconds = 16;

/**
 * A killed consumer's messages are redelivered after this time. It is longer than the consumer's
 * time-out, as in production.
 */
export const visibilitySeconds = 18;

/**
 * - A small oplog with frequent checkpoints, so that it can roll over: MongoDB truncates only
 *   entries that are older than the last checkpoint.
 * - The TTL monitor runs every second instead of every minute.
 * - Fail points make the server return errors that are rare otherwise.
 */
const testParameters = ['ttlMonitorSleepSecs=1', 'enableTestCommands=1'];
const mongodArgs = [
  '--oplogSize',
  '16',
  '--syncdelay',
  '1',
  ...testParameters.flatMap((one) => ['--setParameter', one]),
];

/** An event that is pending for longer than this is stale. */
export const sweepStaleSeconds = 5;

/** The lease of a killed publisher keeps the next one waiting for up to this time. */
export const leaseSeconds = 4;

/**
 * Set at deployment. After a later change of the visibility time-out, a long poll that began before
 * it would still use the old value for the messages that it receives.
 */
const params = [
  `consumerTimeoutSeconds=${consumerSeconds}`,
  `visibilityTimeoutSeconds=${visibilitySeconds}`,
  `sweepStaleSeconds=${sweepStaleSeconds}`,
];

/** The logs of the last runs, in a folder for each stack's name. */
const keptLogsFolder = path.join(stackFolder, 'failure-logs');

export class FailureStack {
  readonly mongodb: RestartableReplicaSet;
  /** One in front of each member. */
  readonly mongodbProxies: readonly TcpProxy[];
  readonly neo4j: RestartableNeo4j;
  readonly neo4jProxy: TcpProxy;
  /** The password that Neo4j and the functions use. A test that changes it restores it. */
  readonly neo4jPassword: string;
  readonly bus: FaultyBus;
  readonly functions: DeployedFunctions;
  readonly deployment: Deployment;
  readonly endpointUrl: string;
  readonly logsFolder: string;
  /** A folder for a test's files. It is removed with the stack. */
  readonly folder: string;
  /** Clients for tests. They connect like the functions, but bypass Neo4j's proxy. */
  readonly client: MongoClient;
  readonly db: Db;
  readonly outbox: Collection<Document>;
  readonly graph: Driver;
  readonly sqs: SQSClient;
  /** The logs are copied here when the stack stops. */
  readonly keptLogs: string;
  /** Rejects when LocalStack exits unexpectedly. Tests may stop the other servers at any time. */
  readonly broken: Promise<never>;
  readonly #undo: readonly (() => Promise<unknown>)[];

  private constructor(parts: StackParts, undo: readonly (() => Promise<unknown>)[]) {
    this.keptLogs = parts.keptLogs;
    this.mongodb = parts.mongodb;
    this.mongodbProxies = parts.mongodbProxies;
    this.neo4j = parts.neo4j;
    this.neo4jProxy = parts.neo4jProxy;
    this.neo4jPassword = parts.neo4jPassword;
    this.bus = parts.bus;
    this.deployment = parts.deployment;
    this.endpointUrl = parts.servers.endpointUrl;
    this.logsFolder = parts.servers.logsFolder;
    this.folder = parts.servers.folder;
    this.broken = parts.servers.broken;
    this.functions = new DeployedFunctions(this.endpointUrl, region, parts.deployment.functions, this.logsFolder);
    this.client = new MongoClient(parts.mongodb.uri);
    this.db = this.client.db(database);
    this.outbox = this.db.collection(outboxCollection);
    this.graph = connectNeo4j({ uri: parts.neo4j.uri, username: neo4jUser, password: parts.neo4jPassword });
    this.sqs = new SQSClient({ endpoint: this.endpointUrl, region, credentials: sdkCredentials });
    this.#undo = undo;
  }

  /**
   * Starts the servers and deploys the functions. If a step fails, stops all that it started.
   *
   * @param name unique to this stack.
   */
  static async start(name: string, signal: AbortSignal = new AbortController().signal): Promise<FailureStack> {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      const parts = await startParts(path.join(keptLogsFolder, name), signal, undo);
      const stack = new FailureStack(parts, undo);
      undo.push(() => stack.#close());
      await stack.#configurePublisher();
      return stack;
    } catch (error) {
      await undoAll(undo);
      throw error;
    }
  }

  stop(): Promise<void> {
    return undoAll(this.#undo);
  }

  /** Stops once, at a message to any member of MongoDB. Resolves when the stop's action is done. */
  async stopMongodbOnce(stop: Stop): Promise<void> {
    const act = () => {
      for (const proxy of this.mongodbProxies) proxy.clear();
      return stop.act();
    };
    await Promise.race(this.mongodbProxies.map((proxy) => proxy.stopOnce({ ...stop, act })));
  }

  /** Number of messages in a queue, visible and in flight. */
  async countMessages(queue: 'queue' | 'deadLetterQueue'): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const QueueUrl = queue === 'queue' ? this.deployment.queueUrl : this.deployment.deadLetterQueueUrl;
    const answer = await this.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
    return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
  }

  /** Empties the dead-letter queue, and returns the bodies. */
  async receiveDeadLetters(): Promise<readonly string[]> {
    const QueueUrl = this.deployment.deadLetterQueueUrl;
    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await this.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return bodies;
      for (const { Body = '', ReceiptHandle } of Messages) {
        bodies.push(Body);
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }

  /** Changes the consumer's password in the Parameter Store, as an operator does. */
  async giveConsumerPassword(Value: string): Promise<void> {
    const ssm = new SSMClient({ endpoint: this.endpointUrl, region, credentials: sdkCredentials });
    const Name = `/${service}/${stage}/consumer/neo4j-password`;
    try {
      await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
    } finally {
      ssm.destroy();
    }
  }

  /** Makes the publisher use the faulty bus and a short lease. */
  async #configurePublisher(): Promise<void> {
    const environment = {
      AWS_ENDPOINT_URL_EVENTBRIDGE: this.bus.url,
      PUBLISHER_LEASE_SECONDS: String(leaseSeconds),
    };
    await this.functions.configure('publisher', { environment });
    await this.#startPublishing();
  }

  /**
   * Starts the publisher until one has the lease: an invocation just after a change of the
   * function's settings may be lost with the old version.
   */
  async #startPublishing(): Promise<void> {
    const checkpoints = this.db.collection<Checkpoint>(checkpointCollection);
    const publishes = async () => {
      if ((await checkpoints.findOne({ owner: { $ne: null } })) !== null) return true;
      await this.functions.start('publisher');
      return undefined;
    };
    await waitUntil(publishes, { timeoutSeconds: 60, pollMillis: 1_000, what: 'the first publisher' });
  }

  async #close(): Promise<void> {
    this.functions.close();
    this.sqs.destroy();
    await Promise.allSettled([this.client.close(), this.graph.close()]);
  }
}

interface StackParts {
  readonly keptLogs: string;
  readonly servers: Servers;
  readonly mongodb: RestartableReplicaSet;
  readonly mongodbProxies: readonly TcpProxy[];
  readonly neo4j: RestartableNeo4j;
  readonly neo4jProxy: TcpProxy;
  readonly neo4jPassword: string;
  readonly bus: FaultyBus;
  readonly deployment: Deployment;
}

async function startParts(
  keptLogs: string,
  signal: AbortSignal,
  undo: (() => Promise<unknown>)[],
): Promise<StackParts> {
  const servers = await startServers({ wanted: ['localstack'], mongodbMembers: 0, signal });
  undo.push(servers.stop);
  // For the analysis of a failed test.
  undo.push(() => cp(servers.logsFolder, keptLogs, { recursive: true, force: true }));
  const folder = path.join(servers.folder, 'breakable');
  undo.push(() => rm(folder, { recursive: true, force: true }));

  const mongodbProxies: TcpProxy[] = [];
  const addressOf = async (port: number) => {
    const proxy = await TcpProxy.start(port);
    mongodbProxies.push(proxy);
    undo.push(() => proxy.close());
    return `127.0.0.1:${proxy.port}`;
  };
  const binary = await installMongod(printStep, signal);
  const { logsFolder } = servers;
  const neo4jPassword = randomUUID();
  const members = { folder: path.join(folder, 'mongodb'), logsFolder, members: 3, extraArgs: mongodArgs };
  const [mongodb, neo4j] = await printStep('Starting the servers', () =>
    Promise.all([
      startRestartableMongodb({ ...members, binary, addressOf }).then((set) => {
        undo.push(set.stop);
        return set;
      }),
      startRestartableNeo4j(path.join(folder, 'graph'), printStep, signal, {
        logFile: path.join(logsFolder, 'neo4j.log'),
        password: neo4jPassword,
        shortLived: true,
      }).then((one) => {
        undo.push(() => one.server.stop());
        return one;
      }),
    ]),
  );
  const neo4jProxy = await TcpProxy.start(Number(new URL(neo4j.uri).port));
  undo.push(() => neo4jProxy.close());
  const bus = await startFaultyBus(servers.endpointUrl);
  undo.push(() => bus.close());

  const databases = {
    MONGODB_URI: mongodb.uri,
    MONGODB_DATABASE: database,
    NEO4J_URI: `bolt://127.0.0.1:${neo4jProxy.port}`,
    NEO4J_USERNAME: neo4jUser,
    NEO4J_PASSWORD: neo4jPassword,
    NEO4J_DATABASE: 'neo4j',
  };
  const logFile = path.join(servers.logsFolder, 'deploy.log');
  const target = { endpointUrl: servers.endpointUrl, region, databases, logFile, signal };
  const deployment = await printStep('Packaging and deploying the functions', () => deploy(target, params));
  return { keptLogs, servers, mongodb, mongodbProxies, neo4j, neo4jProxy, neo4jPassword, bus, deployment };
}

/** Runs the steps in reverse order, and ignores their errors. */
async function undoAll(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const one of [...undo].reverse()) await one().catch(() => undefined);
}
