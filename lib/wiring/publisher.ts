/** Joins the publisher's flow to MongoDB and EventBridge; done once for a process, kept over warm calls. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEventBus, sendPointers } from '../aws/event-bus.ts';
import type { PublisherSettings } from '../config.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import { connectMongodb } from '../mongodb/connect.ts';
import {
  acquireLease,
  type Checkpoint,
  type ResumeToken,
  releaseLease,
  saveCheckpoint,
} from '../mongodb/publisher-lease.ts';
import { readClusterTime, scanPending } from '../mongodb/scan-pending.ts';
import { checkOutbox, checkpointCollection } from '../mongodb/set-up-outbox.ts';
import { tailOutbox } from '../mongodb/tail-outbox.ts';
import { type PublishLog, type PublishPorts, type PublishReport, publish } from '../publish/publish.ts';
import type { SendPointers } from '../publish/send-all.ts';

/** The joined publisher. */
export interface Publisher {
  readonly publish: (remainingMillis: () => number, log: PublishLog) => Promise<PublishReport>;
  readonly close: () => Promise<void>;
}

/** Where pointers go, and what is remembered of it. */
export interface PointerSink {
  readonly send: SendPointers;
  readonly close: () => void;
  /** The lease's and checkpoint's id. */
  readonly checkpointId: string;
  /** Whether what was sent outlives the process: if not, every start publishes all that is pending. */
  readonly durable: boolean;
}

const pendingChunk = 500;

/** Joins the parts to the bus; connections open with the first call. */
export function wirePublisher(settings: PublisherSettings): Publisher {
  const bus = connectEventBus();
  return joinPublisher(settings, {
    send: (pointers) => sendPointers(bus, settings.EVENT_BUS_NAME, pointers),
    close: () => bus.destroy(),
    checkpointId: 'publisher/0',
    durable: true,
  });
}

/** Joins the parts to any sink. */
export function joinPublisher(settings: Omit<PublisherSettings, 'EVENT_BUS_NAME'>, sink: PointerSink): Publisher {
  const client = connectMongodb(settings.MONGODB_URI);
  const db = client.db(settings.MONGODB_DATABASE);
  const outbox = db.collection(outboxCollection);
  const checkpoints = db.collection<Checkpoint>(checkpointCollection);
  const leaseSeconds = settings.PUBLISHER_LEASE_SECONDS;

  const ports: Omit<PublishPorts<ResumeToken>, 'remainingMillis' | 'log'> = {
    acquireLease: async () => {
      const lease = await acquireLease(checkpoints, { id: sink.checkpointId, owner: randomUUID(), leaseSeconds });
      if (lease === null) return null;
      return {
        resumeToken: sink.durable ? lease.resumeToken : null,
        save: (token) => saveCheckpoint(checkpoints, lease, leaseSeconds, token),
        release: () => releaseLease(checkpoints, lease),
      };
    },
    tailFrom: (resumeToken) => tailOutbox(outbox, { resumeToken }),
    tailFromNow: async () => {
      const clusterTime = await readClusterTime(client, outbox);
      return {
        tail: tailOutbox(outbox, { clusterTime }),
        pending: scanPending(client, outbox, clusterTime, pendingChunk),
      };
    },
    send: sink.send,
    sleep: (millis) => sleep(millis),
    random: Math.random,
  };
  return {
    publish: async (remainingMillis, log) => {
      await checkOutbox(db);
      return publish({ ...ports, remainingMillis, log });
    },
    close: async () => {
      sink.close();
      await client.close();
    },
  };
}
