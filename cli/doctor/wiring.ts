/**
 * Runs the doctor on real servers: connects to those that the settings name, reads each fact once,
 * and disconnects.
 */
import type { Db } from 'mongodb';
import pTimeout from 'p-timeout';
import { Fault } from '../../lib/contract/fault.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import { connectNeo4j } from '../../lib/graph/neo4j-connect.ts';
import { withNeo4jAddress } from '../../lib/graph/neo4j-errors.ts';
import { closeInTime } from '../../lib/graph/neo4j-unless-silent.ts';
import {
  checkpointCollection,
  conflictCollection,
  discardedCollection,
  identityCollection,
  trialCollection,
} from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { connectMongodb } from '../../lib/outbox/mongodb-connect.ts';
import {
  countOutbox,
  readPublisherActivity,
  readRetentionSeconds,
  readServerTime,
} from '../../lib/outbox/mongodb-measure.ts';
import { typesWithDocuments } from '../../lib/projection/catalog.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { graph } from '../../lib/projection/graph.ts';
import { connectEventBus } from '../../lib/publisher/event-bus.ts';
import { isLocalAddress } from '../../lib/runtime/address.ts';
import { createReferenceReader } from '../../lib/runtime/secrets.ts';
import type { Environment } from '../../lib/runtime/settings.ts';
import { unknownSettings } from '../../lib/runtime/unknown-settings.ts';
import { checkBinding } from '../../lib/set-up/binding-wiring.ts';
import {
  readDefaultWriteConcern,
  readFeatureVersion,
  readOplog,
  readServerFacts,
} from '../../lib/set-up/mongodb-inspect-server.ts';
import { fillsTimestamps } from '../../lib/set-up/mongodb-timestamps.ts';
import { readContractVersion } from '../../lib/set-up/mongodb-version.ts';
import { tombstoneIndexOf } from '../../lib/set-up/neo4j-graph.ts';
import { type CanaryNote, readLastCanary } from '../../lib/sweep/mongodb-canaries.ts';

import type { LoadedCatalog } from '../terminal/read-catalog.ts';
import {
  type ConfigurationFacts,
  configurationChecks,
  readSettingStates,
  type SettingState,
  textOf,
} from './check-configuration.ts';
import { type MongodbPorts, mongodbChecks } from './check-mongodb.ts';
import { type Neo4jPorts, neo4jChecks } from './check-neo4j.ts';
import { type QueuePorts, queueChecks } from './check-queue.ts';
import { type StagePorts, stageChecks } from './check-stage.ts';
import { type DoctorReport, examineStage } from './doctor.ts';
import { findIdClashes, findTtlIndexes } from './mongodb-inspect-documents.ts';
import { findCollections, findIndexProblems, readValidator } from './mongodb-inspect-outbox.ts';
import { compareWithParts, readUserPrivileges } from './mongodb-inspect-user.ts';
import {
  findConstraintProblems,
  findDeclaredIndexProblems,
  readGraphIndexes,
  readGraphServer,
  readGraphUser,
  readManifestForms,
} from './neo4j-inspect-graph.ts';
import { connectQueueToInspect, readQueue, readRules } from './sqs-inspect-queue.ts';

export interface DoctorRequest {
  readonly environment: Environment;
  /** The files that completed it. */
  readonly files: readonly string[];
  readonly loaded: LoadedCatalog;
  readonly signal: AbortSignal;
}

/** Shorter than a check's time limit, so that an unavailable server is reported as such. */
const selectionMillis = 4_000;
const checkSeconds = 10;

/** Checks a stage without changing anything. Ends within half a minute, whatever the servers do. */
export async function runDoctor({ environment, files, loaded, signal }: DoctorRequest): Promise<DoctorReport> {
  const states = await readStates(environment);
  const keys = new RegistryKeys(textOf(states, 'OUTGRAPH_SOURCE') ?? '');
  const opened: (() => Promise<void>)[] = [];
  try {
    const mongodb = openMongodb(states, loaded, opened);
    const inMongodb = mongodbChecks(mongodb?.ports ?? null, {
      isLocal: isLocalAddress(textOf(states, 'MONGODB_URI') ?? ''),
      ownCollections: [
        outboxCollection,
        identityCollection,
        checkpointCollection,
        trialCollection,
        conflictCollection,
        discardedCollection,
      ],
      retentionDays: daysIfSet(states),
      documentCollections: documentCollections(loaded),
    });
    const inNeo4j = neo4jChecks(openNeo4j(states, keys, loaded, mongodb, opened), {
      isLocal: isLocalAddress(textOf(states, 'NEO4J_URI') ?? ''),
      hasCatalog: loaded.catalog !== null,
      tombstoneIndex: tombstoneIndexOf(keys).name,
      source: keys.source,
      mongodbReachable: inMongodb.reachable,
    });
    const facts: ConfigurationFacts = {
      states,
      files,
      unknown: unknownSettings(environment),
      loaded,
      nodeVersion: process.versions.node,
    };
    const checks = [
      ...configurationChecks(facts),
      ...inMongodb.all,
      ...inNeo4j,
      ...queueChecks(openQueues(states, opened)),
      ...stageChecks(mongodb?.stage ?? null, inMongodb),
    ];
    return await examineStage(checks, { seconds: checkSeconds, signal });
  } finally {
    await Promise.all(opened.map((close) => closeInTime({ close })));
  }
}

async function readStates(environment: Environment): Promise<readonly SettingState[]> {
  const read = createReferenceReader();
  return readSettingStates(environment, (reference) =>
    pTimeout(read(reference, { maxAgeSeconds: 1, fresh: true }), {
      milliseconds: checkSeconds * 1_000,
      message: new Fault('secret-unavailable', `AWS did not answer within ${checkSeconds} seconds.`),
    }),
  );
}

interface OpenedMongodb {
  readonly db: Db;
  readonly ports: MongodbPorts;
  readonly stage: StagePorts;
}

function openMongodb(
  states: readonly SettingState[],
  loaded: LoadedCatalog,
  opened: (() => Promise<void>)[],
): OpenedMongodb | null {
  const uri = textOf(states, 'MONGODB_URI');
  const database = textOf(states, 'MONGODB_DATABASE');
  if (uri === null || database === null) return null;
  const client = connectMongodb(uri, { selectionMillis });
  opened.push(() => client.close());
  const db = client.db(database);
  const outbox = outboxOf(db);
  const checkpoints = db.collection(checkpointCollection);
  return {
    db,
    ports: {
      readServer: once(() => readServerFacts(db)),
      readFeatureVersion: () => readFeatureVersion(db),
      fillsTimestamps: () => checkTimestamps(db),
      readWriteConcern: () => readDefaultWriteConcern(db),
      readOplog: () => readOplog(db),
      readUser: () => compareWithParts(db, documentCollections(loaded)),
      findCollections: (names) => findCollections(db, names),
      readValidator: () => readValidator(db),
      readContractVersion: () => readContractVersion(db),
      findIndexProblems: () => findIndexProblems(db),
      findTtlIndexes: () => findTtlIndexes(db, documentCollections(loaded)),
      findIdClashes: () => findIdClashes(db, withDocuments(loaded)),
      readRetentionSeconds: () => readRetentionSeconds(outbox),
    },
    stage: {
      readServerTime: once(() => readServerTime(outbox)),
      readPublisherActivity: () => readPublisherActivity(checkpoints),
      readLastCanary: () => readLastCanary(outbox, db.collection<CanaryNote>(checkpointCollection)),
      countOutbox: once((limit: number) => countOutbox(outbox, limit)),
    },
  };
}

/** Of these, each part that inserts into any may read it as well. */
const provingCollections = [checkpointCollection, trialCollection, identityCollection];

async function checkTimestamps(db: Db): Promise<boolean | null> {
  const user = await readUserPrivileges(db);
  const may = (name: string, action: string) => user.may(db.databaseName, name, action);
  const collection = provingCollections.find((name) => may(name, 'find') && may(name, 'insert'));
  return collection === undefined ? null : fillsTimestamps(db.collection(collection));
}

function openNeo4j(
  states: readonly SettingState[],
  keys: RegistryKeys,
  { catalog }: LoadedCatalog,
  mongodb: OpenedMongodb | null,
  opened: (() => Promise<void>)[],
): Neo4jPorts | null {
  const uri = textOf(states, 'NEO4J_URI');
  const database = textOf(states, 'NEO4J_DATABASE') ?? '';
  if (uri === null) return null;
  const username = textOf(states, 'NEO4J_USERNAME') ?? '';
  const driver = connectNeo4j({ uri, username, password: textOf(states, 'NEO4J_PASSWORD') ?? '' }, { retrySeconds: 1 });
  opened.push(() => driver.close());
  return {
    readServer: once(() => withNeo4jAddress(uri, () => readGraphServer(driver, database))),
    readUser: () => readGraphUser(driver, database),
    findConstraintProblems: async () => (catalog === null ? [] : findConstraintProblems(driver, database, catalog)),
    readIndexes: () => readGraphIndexes(driver, database),
    findIndexProblems: async () => (catalog === null ? [] : findDeclaredIndexProblems(driver, database, catalog)),
    readManifestForms: () => readManifestForms(driver, database, keys),
    checkBinding: async () => {
      if (mongodb !== null) await checkBinding(mongodb.db, driver, database, keys);
    },
    readMongodbClockAheadMillis: async () => (await mongodb?.ports.readServer())?.clockAheadMillis ?? 0,
  };
}

function openQueues(states: readonly SettingState[], opened: (() => Promise<void>)[]): QueuePorts {
  const queueUrl = textOf(states, 'QUEUE_URL');
  const deadLetterQueueUrl = textOf(states, 'DEAD_LETTER_QUEUE_URL');
  const busName = textOf(states, 'EVENT_BUS_NAME');
  const sqs = connectQueueToInspect();
  const bus = connectEventBus({ requestMillis: 3_000 });
  opened.push(async () => {
    sqs.destroy();
    bus.destroy();
  });
  return {
    readQueue: queueUrl === null ? null : once(() => readQueue(sqs, queueUrl)),
    readDeadLetterQueue: deadLetterQueueUrl === null ? null : once(() => readQueue(sqs, deadLetterQueueUrl)),
    readRules: busName === null ? null : once((queueArn: string) => readRules(bus, busName, queueArn)),
  };
}

/** The types with documents. Excludes the canary, and `graph`, whose events can have any source. */
function withDocuments({ catalog }: LoadedCatalog): readonly AggregateDefinition[] {
  return catalog === null ? [] : typesWithDocuments(catalog).filter(({ type }) => type !== graph.type);
}

function documentCollections(loaded: LoadedCatalog): readonly string[] {
  return [...new Set(withDocuments(loaded).map(({ collection }) => collection))];
}

function daysIfSet(states: readonly SettingState[]): number | null {
  const retention = states.find(({ name }) => name === 'PROCESSED_RETENTION_DAYS');
  return retention?.state === 'set' ? Number(retention.value) : null;
}

/** Reads a fact once for several checks. */
function once<Arguments extends readonly unknown[], Answer>(
  read: (...args: Arguments) => Promise<Answer>,
): (...args: Arguments) => Promise<Answer> {
  let answer: Promise<Answer> | null = null;
  return (...args) => {
    answer ??= read(...args);
    return answer;
  };
}
