/** Reads the status from the outbox and, if there is one, the queue. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Db } from 'mongodb';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countOutbox, readLastProcessed, readServerTime } from '../../lib/outbox/mongodb-measure.ts';
import { awsTimeouts } from '../../lib/runtime/aws-client.ts';
import { readQueueCounts } from '../../lib/runtime/sqs.ts';
import { type CanaryNote, readLastCanary } from '../../lib/sweep/mongodb-canaries.ts';
import { countByType, listPublishers, readSettled } from './mongodb-read-status.ts';
import { type StatusOptions, takeStatus } from './status.ts';
import type { QueueStatus, StatusReport } from './status-report.ts';

/** Reads the queues that the settings name. */
export interface QueueReader {
  readonly readQueue: () => Promise<QueueStatus | null>;
  readonly readDeadLetterQueue: () => Promise<QueueStatus | null>;
  readonly close: () => void;
}

/** The caller closes the connections. */
export interface StatusScope {
  readonly db: Db;
  /** Null if the settings name no queue. */
  readonly queues: QueueReader | null;
}

/**
 * You can call it every second or two.
 *
 * @throws Fault `mongodb-unavailable` or `queue-unavailable`.
 */
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

/** Null without URLs. The first call opens the connections. */
export function createQueueReader(urls: {
  readonly QUEUE_URL?: string | undefined;
  readonly DEAD_LETTER_QUEUE_URL?: string | undefined;
}): QueueReader | null {
  const { QUEUE_URL: queue, DEAD_LETTER_QUEUE_URL: deadLetterQueue } = urls;
  if (queue === undefined && deadLetterQueue === undefined) return null;
  const client = new SQSClient({ maxAttempts: 4, ...awsTimeouts() });
  const read = async (url: string | undefined) => (url === undefined ? null : readQueueCounts(client, url));
  return {
    readQueue: () => read(queue),
    readDeadLetterQueue: () => read(deadLetterQueue),
    close: () => client.destroy(),
  };
}
