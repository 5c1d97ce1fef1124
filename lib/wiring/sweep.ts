/** Joins the sweep's flow to MongoDB, SQS and Neo4j; done once for a process, kept over warm calls. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { countBacklog, sendToQueue } from '../aws/queue.ts';
import type { SweepSettings } from '../config.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import { connectMongodb } from '../mongodb/connect.ts';
import { markDead } from '../mongodb/mark-dead.ts';
import { checkOutbox } from '../mongodb/set-up-outbox.ts';
import {
  claimStale,
  countOutbox,
  countStale,
  findStale,
  readLastProcessed,
  readServerTime,
} from '../mongodb/sweep-pending.ts';
import { unsettledAggregates } from '../mongodb/unsettled-aggregates.ts';
import { connectNeo4j } from '../neo4j/connect.ts';
import { listTombstones, removeTombstones } from '../neo4j/tombstones.ts';
import { type SweepPorts, type SweepReport, sweep } from '../sweep/sweep.ts';

/** The joined sweep. */
export interface Sweeper {
  readonly sweep: (remainingMillis: () => number) => Promise<SweepReport>;
  readonly close: () => Promise<void>;
}

/** The queue that stale events are sent to again. */
export interface SweepQueue extends Pick<SweepPorts, 'sendToQueue' | 'countBacklog'> {
  readonly close: () => void;
}

/** Joins the parts to the queue in SQS; connections open with the first call. */
export function wireSweep(settings: SweepSettings): Sweeper {
  const queue = new SQSClient({ maxAttempts: 4 });
  return joinSweep(settings, {
    sendToQueue: (pointers) => sendToQueue(queue, settings.QUEUE_URL, pointers),
    countBacklog: () => countBacklog(queue, settings.QUEUE_URL),
    close: () => queue.destroy(),
  });
}

/** Joins the parts to any queue. */
export function joinSweep(settings: Omit<SweepSettings, 'QUEUE_URL'>, queue: SweepQueue): Sweeper {
  const client = connectMongodb(settings.MONGODB_URI);
  const db = client.db(settings.MONGODB_DATABASE);
  const outbox = db.collection(outboxCollection);
  const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD, NEO4J_DATABASE: database } = settings;
  const driver = connectNeo4j({ uri: NEO4J_URI, username: NEO4J_USERNAME, password: NEO4J_PASSWORD });

  const ports: Omit<SweepPorts, 'remainingMillis'> = {
    readServerTime: () => readServerTime(outbox),
    countStale: (staleBefore, limit) => countStale(outbox, staleBefore, limit),
    findStale: (query) => findStale(outbox, query),
    readLastProcessed: () => readLastProcessed(outbox),
    claimStale: (eventIds, now, lastProcessed) => claimStale(outbox, eventIds, now, lastProcessed),
    sendToQueue: queue.sendToQueue,
    countBacklog: queue.countBacklog,
    markDead: (events) => markDead(outbox, events),
    countOutbox: (limit) => countOutbox(outbox, limit),
    unsettledAggregates: (keys) => unsettledAggregates(outbox, keys),
    listTombstones: (page) => listTombstones(driver, database, page),
    removeTombstones: (tombstones) => removeTombstones(driver, database, tombstones),
  };
  return {
    sweep: async (remainingMillis) => {
      await checkOutbox(db);
      return sweep(
        { ...ports, remainingMillis },
        {
          staleSeconds: settings.SWEEP_STALE_SECONDS,
          maxAttempts: settings.SWEEP_MAX_ATTEMPTS,
          tombstoneRetentionDays: settings.TOMBSTONE_RETENTION_DAYS,
        },
      );
    },
    close: async () => {
      queue.close();
      await Promise.all([client.close(), driver.close()]);
    },
  };
}
