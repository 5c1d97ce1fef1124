/**
 * Connects the publisher to MongoDB and EventBridge, once per process. Warm invocations reuse the
 * connections.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pointer } from '../contract/pointer.ts';
import { checkpointCollection } from '../outbox/collections.ts';
import { readClusterTime } from '../outbox/mongodb-clock.ts';
import { outboxOf } from '../outbox/mongodb-collection.ts';
import { connectMongodb } from '../outbox/mongodb-connect.ts';
import type { PublisherSettings } from '../runtime/settings.ts';
import { checkOutbox } from '../set-up/mongodb-outbox.ts';
import { connectEventBus, sendPacks } from './event-bus.ts';
import { scanPending } from './mongodb-backlog.ts';
import { tailOutbox } from './mongodb-change-stream.ts';
import { type Checkpoint, exclusiveLease, type OpenLease, type ResumeToken } from './mongodb-lease.ts';
import type { PublisherRole, PublishLog, PublishPorts } from './ports.ts';
import { type PublishCounts, type PublishReport, publish } from './publish.ts';
import { publishUntilTimeIsUp, type RetryLog } from './publish-until-time-is-up.ts';
import type { SendPacks } from './send-all.ts';

/** A wired publisher. */
export interface Publisher {
  /** Publishes until the time is nearly up or something fails. */
  readonly publish: (remainingMillis: () => number, log: PublishLog) => Promise<PublishReport>;
  /** Retries after faults. `counts` increases meanwhile, also if the last fault is thrown. */
  readonly publishUntilTimeIsUp: (
    remainingMillis: () => number,
    log: PublishLog & RetryLog,
    counts: PublishCounts,
  ) => Promise<PublishReport>;
  readonly close: () => Promise<void>;
}

/** Where pointers are sent, and under which lease. */
export interface PointerSink {
  readonly send: SendPacks;
  /** Maximum number of pointers in an entry. */
  readonly pointersPerEntry: number;
  /** How long the tail waits for more inserts while they keep arriving, in milliseconds. */
  readonly lingerMillis: number;
  /**
   * Called with pointers of the backlog before they are sent. An earlier process may already have
   * started their events.
   */
  readonly markRedelivered?: (pointers: readonly Pointer[]) => void;
  readonly close: () => void;
  /** As {@link PublishPorts.working}. */
  readonly working?: (role: PublisherRole) => void;
  /** As {@link PublishPorts.waitForCapacity}. */
  readonly waitForCapacity?: () => Promise<boolean>;
  /** Whether a pointer is sent here; every pointer by default. */
  readonly select?: (pointer: Pointer) => boolean;
  readonly lease: OpenLease;
}

/** One call of full packs. */
const chunkPointers = 1_000;

/** Creates a publisher to the bus. Connections open with the first call. */
export function wirePublisher(settings: PublisherSettings): Publisher {
  const bus = connectEventBus();
  return joinPublisher(settings, {
    send: (packs) => sendPacks(bus, settings.EVENT_BUS_NAME, packs),
    pointersPerEntry: settings.POINTERS_PER_ENTRY,
    lingerMillis: settings.PUBLISHER_LINGER_MILLIS,
    close: () => bus.destroy(),
    lease: exclusiveLease('publisher/0'),
  });
}

/** Creates a publisher to any sink. */
export function joinPublisher(
  settings: Pick<PublisherSettings, 'MONGODB_URI' | 'MONGODB_DATABASE' | 'PUBLISHER_LEASE_SECONDS'>,
  sink: PointerSink,
): Publisher {
  const client = connectMongodb(settings.MONGODB_URI);
  const db = client.db(settings.MONGODB_DATABASE);
  const outbox = outboxOf(db);
  const checkpoints = db.collection<Checkpoint>(checkpointCollection);

  const ports: Omit<PublishPorts<ResumeToken>, 'remainingMillis' | 'log'> = {
    acquireLease: sink.lease(checkpoints, settings.PUBLISHER_LEASE_SECONDS),
    readClusterTime: () => readClusterTime(client, outbox),
    openTail: (start) => tailOutbox(outbox, start, sink),
    readBacklog: async (backlog) => {
      const { pointers: all, rest } = await scanPending(client, outbox, backlog, chunkPointers);
      const pointers = sink.select === undefined ? all : all.filter(sink.select);
      sink.markRedelivered?.(pointers);
      return { pointers, rest };
    },
    send: sink.send,
    ...(sink.working && { working: sink.working }),
    ...(sink.waitForCapacity && { waitForCapacity: sink.waitForCapacity }),
    pointersPerEntry: sink.pointersPerEntry,
    sleep: (millis) => sleep(millis),
    random: Math.random,
  };
  const publishOnce = async (remainingMillis: () => number, log: PublishLog, counts?: PublishCounts) => {
    await checkOutbox(db);
    return publish({ ...ports, remainingMillis, log }, counts);
  };
  return {
    publish: (remainingMillis, log) => publishOnce(remainingMillis, log),
    publishUntilTimeIsUp: (remainingMillis, log, counts) => {
      const { sleep, random } = ports;
      const once = (soFar: PublishCounts) => publishOnce(remainingMillis, log, soFar);
      return publishUntilTimeIsUp({ publishOnce: once, sleep, random, remainingMillis, log }, counts);
    },
    close: async () => {
      sink.close();
      await client.close();
    },
  };
}
