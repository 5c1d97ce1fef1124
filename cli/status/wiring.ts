/** Joins the look at a stage to the outbox and, where there is one, the queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Db } from 'mongodb';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countOutbox, readLastProcessed, readServerTime } from '../../lib/outbox/mongodb-measure.ts';
import { readQueueCounts } from '../../lib/runtime/sqs.ts';
import { type CanaryNote, readLastCanary } from '../../lib/sweep/mongodb-canaries.ts';
import { countByType } from './mongodb-count-by-type.ts';
import { listPublishers } from './mongodb-list-publishers.ts';
import { readSettled } from './mongodb-read-settled.ts';
import { type StatusOptions, takeStatus } from './status.ts';
import type { QueueStatus, StatusReport } from './status-report.ts';

/** Asks SQS about the queues that the settings name. */
export interface QueueReader {
  readonly readQueue: () => Promise<QueueStatus | null>;
  readonly readDeadLetterQueue: () => Promise<QueueStatus | null>;
  readonly close: () => void;
}

/** What a look at a stage is taken of; connections stay the caller's. */
export interface StatusScope {
  readonly db: Db;
  /** Null: the stage has no queue, or nobody may ask about it. */
  readonly queues: QueueReader | null;
}

/** Takes one look; safe to repeat every second or two. @throws Fault `mongodb-unavailable` or `queue-unavailable`. */
export function readStatus({ db, queues }: StatusScope, options: StatusOptions): Promise<StatusReport> {
  const outbox = outboxOf(db);
  const checkpoints = db.collection(checkpointCollection);
  const notes = db.collection<CanaryNote>(checkpointCollection);
  return takeStatus(
    {
      readServerTime: () => readServerTime(outbox),
      countOutbox: (limit) => countOutbox(outbox, limit),
      countByType: (status, limit) => countByType(outbox, status, limit),
      readSettled: (since, limit) => readSettled(outbox, since, limit),
      readLastProcessed: () => readLastProcessed(outbox),
      readLastCanary: () => readLastCanary(outbox, notes),
      listPublishers: () => listPublishers(checkpoints),
      readQueue: async () => queues?.readQueue() ?? null,
      readDeadLetterQueue: async () => queues?.readDeadLetterQueue() ?? null,
    },
    options,
  );
}

/** A reader of the queues with these URLs; null where none is given. Connections open with the first call. */
export function createQueueReader(urls: {
  readonly QUEUE_URL?: string | undefined;
  readonly DEAD_LETTER_QUEUE_URL?: string | undefined;
}): QueueReader | null {
  const { QUEUE_URL: queue, DEAD_LETTER_QUEUE_URL: deadLetterQueue } = urls;
  if (queue === undefined && deadLetterQueue === undefined) return null;
  const client = new SQSClient({ maxAttempts: 4 });
  const read = async (url: string | undefined) => (url === undefined ? null : readQueueCounts(client, url));
  return {
    readQueue: () => read(queue),
    readDeadLetterQueue: () => read(deadLetterQueue),
    close: () => client.destroy(),
  };
}
