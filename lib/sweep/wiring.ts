/** Connects the sweep to MongoDB, SQS and Neo4j, once for each process. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { connectNeo4j } from '../graph/neo4j-connect.ts';
import { checkpointCollection } from '../outbox/collections.ts';
import { outboxOf } from '../outbox/mongodb-collection.ts';
import { connectMongodb } from '../outbox/mongodb-connect.ts';
import { markDead } from '../outbox/mongodb-mark-dead.ts';
import {
  countOutbox,
  readApplyLags,
  readLastProcessed,
  readPublisherActivity,
  readRetentionSeconds,
  readServerTime,
} from '../outbox/mongodb-measure.ts';
import { awsTimeouts } from '../runtime/aws-client.ts';
import { boundedPorts } from '../runtime/bounded-ports.ts';
import { Renewable } from '../runtime/renewable.ts';
import type { SweepSettings } from '../runtime/settings.ts';
import { countBacklog, sendToQueue } from '../runtime/sqs.ts';
import { withinTime } from '../runtime/within-time.ts';
import { checkBinding } from '../set-up/binding-wiring.ts';
import { checkOutbox } from '../set-up/mongodb-outbox.ts';
import {
  type CanaryNote,
  readLastCanary,
  readWaitingCanaries,
  settleCanariesBefore,
  writeCanary,
} from './mongodb-canaries.ts';
import { endUnreachable } from './mongodb-end-unreachable.ts';
import { countStale, findStale } from './mongodb-find-stale.ts';
import { reschedulePending } from './mongodb-reschedule.ts';
import { unsettledAggregates } from './mongodb-unsettled-aggregates.ts';
import { holdTombstones, listTombstones, removeTombstones } from './neo4j-tombstones.ts';
import { type SweepLog, type SweepPorts, type SweepReport, sweep } from './sweep.ts';

/** A wired sweep. */
export interface Sweeper {
  /** Runs one pass and records its report, even if a step failed; then throws that step's error. */
  readonly sweep: (
    remainingMillis: () => number,
    record?: (report: SweepReport) => void,
    log?: SweepLog,
  ) => Promise<SweepReport>;
  readonly close: () => Promise<void>;
}

/** The queue that stale events are sent to. */
export interface SweepQueue extends Pick<SweepPorts, 'sendToQueue' | 'countBacklog'> {
  /** Absent if the queue cannot be searched, as with SQS. */
  readonly isWaiting?: SweepPorts['isWaiting'];
  /** Maximum number of pointers in a message. */
  readonly pointersPerEntry: number;
  readonly close: () => void;
}

/** Creates a sweep with the SQS queue; connections open with the first call. */
export function wireSweep(settings: SweepSettings): Sweeper {
  const queue = new SQSClient({ maxAttempts: 4, ...awsTimeouts() });
  return joinSweep(settings, {
    sendToQueue: (packs) => sendToQueue(queue, settings.QUEUE_URL, packs),
    pointersPerEntry: settings.POINTERS_PER_ENTRY,
    countBacklog: () => countBacklog(queue, settings.QUEUE_URL),
    close: () => queue.destroy(),
  });
}

/** Creates a sweep with any queue. */
export function joinSweep(
  settings: Omit<SweepSettings, 'QUEUE_URL' | 'POINTERS_PER_ENTRY'>,
  queue: SweepQueue,
): Sweeper {
  const client = connectMongodb(settings.MONGODB_URI);
  const db = client.db(settings.MONGODB_DATABASE);
  const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE: database } = settings;
  const address = { uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD };
  const driver = new Renewable(() => connectNeo4j(address));
  const keys = new RegistryKeys(settings.OUTGRAPH_SOURCE);
  const outbox = joinOutbox(db, keys);
  const graphPorts = (current: Driver) => ({
    ...joinTombstones(current, database, keys),
    checkGraph: () => checkBinding(db, current, database, keys),
  });
  const options = {
    staleSeconds: settings.SWEEP_STALE_SECONDS,
    maxAttempts: settings.SWEEP_MAX_ATTEMPTS,
    tombstoneRetentionDays: settings.TOMBSTONE_RETENTION_DAYS,
    pointersPerEntry: queue.pointersPerEntry,
  };
  return {
    sweep: async (remainingMillis, record = () => undefined, log = silent) => {
      const callMillis = () => Math.min(maxCallMillis, remainingMillis() - reserveMillis);
      const { sendToQueue, countBacklog } = queue;
      const ports: SweepPorts = {
        ...boundedPorts('MongoDB', outbox, callMillis),
        // One second less than MongoDB, so that refused claims can still be released.
        ...boundedPorts('SQS', { sendToQueue, countBacklog }, () => callMillis() - 1_000),
        ...boundedPorts('Neo4j', graphPorts(driver.current), callMillis, driver.renewIfSilent),
        isWaiting: queue.isWaiting ?? (() => false),
        remainingMillis,
        random: Math.random,
        log,
      };
      await withinTime('MongoDB', callMillis(), () => checkOutbox(db));
      const report = await sweep(ports, options);
      record(report);
      if (report.failures.length > 0) throw report.failures[0];
      return report;
    },
    close: async () => {
      queue.close();
      await Promise.all([client.close(), driver.close()]);
    },
  };
}

const silent: SweepLog = {
  eventRepublished: () => undefined,
  eventExhausted: () => undefined,
  eventNotRepublished: () => undefined,
  eventUnreachable: () => undefined,
};

/** Maximum wait for a server. The last seconds of an invocation are reserved for the report. */
const maxCallMillis = 30_000;
const reserveMillis = 2_000;

/** The sweep's ports on MongoDB. */
export type SweepOutbox = Omit<
  SweepPorts,
  | keyof SweepTombstones
  | 'checkGraph'
  | 'sendToQueue'
  | 'countBacklog'
  | 'isWaiting'
  | 'remainingMillis'
  | 'random'
  | 'log'
>;

/** The sweep's ports on Neo4j. */
export type SweepTombstones = Pick<SweepPorts, 'listTombstones' | 'holdTombstones' | 'removeTombstones'>;

/** Creates the sweep's ports on the outbox of a database; the caller closes its client. */
export function joinOutbox(db: Db, keys = withoutSource): SweepOutbox {
  const outbox = outboxOf(db);
  const checkpoints = db.collection(checkpointCollection);
  const notes = db.collection<CanaryNote>(checkpointCollection);
  return {
    readServerTime: () => readServerTime(outbox),
    readLastCanary: () => readLastCanary(outbox, notes),
    readWaitingCanaries: (limit) => readWaitingCanaries(outbox, limit),
    settleCanariesBefore: (position) => settleCanariesBefore(outbox, position),
    writeCanary: (createdAt) => writeCanary(outbox, notes, createdAt),
    countOutbox: (limit) => countOutbox(outbox, limit),
    readApplyLags: (since, limit) => readApplyLags(outbox, since, limit),
    readPublisherActivity: () => readPublisherActivity(checkpoints),
    countStale: (staleBefore, limit) => countStale(outbox, staleBefore, limit),
    findStale: (query) => findStale(outbox, query),
    readLastProcessed: () => readLastProcessed(outbox),
    reschedulePending: (changes) => reschedulePending(outbox, changes),
    markDead: (events) => markDead(outbox, events),
    endUnreachable: (reported) => endUnreachable(outbox, reported),
    unsettledAggregates: (aggregateKeys) => unsettledAggregates(outbox, aggregateKeys, keys),
    readRetentionSeconds: () => readRetentionSeconds(outbox),
  };
}

/** Creates the purge's ports on the graph; the caller closes its driver. */
export function joinTombstones(driver: Driver, database: string, keys = withoutSource): SweepTombstones {
  return {
    listTombstones: (page) => listTombstones(driver, database, page, keys),
    holdTombstones: (held) => holdTombstones(driver, database, held),
    removeTombstones: (tombstones) => removeTombstones(driver, database, tombstones),
  };
}
