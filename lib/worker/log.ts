/** The worker's log lines. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { consumeLog } from '../consumer/log.ts';
import type { ConsumeLog } from '../consumer/ports.ts';
import type { SpanLog } from '../consumer/spans.ts';
import { describeError } from '../contract/fault.ts';
import { pointerLog } from '../publisher/log.ts';
import type { PublishLog } from '../publisher/ports.ts';
import { sweepLog } from '../sweep/log.ts';
import type { SweepLog } from '../sweep/sweep.ts';
import type { WorkLog } from './work.ts';

/**
 * The log of all flows of a worker.
 *
 * @example
 * const log: WorkerLog = workerLog(new Logger());
 */
export type WorkerLog = ConsumeLog & SpanLog & PublishLog & SweepLog & WorkLog & ExportLog;

export interface ExportLog {
  /** The collector did not accept the metrics. Not reported again until it has accepted some. */
  readonly metricsNotDelivered: (reason: string) => void;
}

/**
 * Creates a worker log that writes to a Powertools logger.
 *
 * @example
 * const log = workerLog(new Logger({ serviceName: 'outgraph-worker' }));
 */
export function workerLog(logger: Logger): WorkerLog {
  return {
    publishingPending: (code) => logger.info('publishing every pending event', { reason: code ?? 'start' }),
    ...pointerLog(logger),
    ...consumeLog(logger),
    ...sweepLog(logger),
    metricsNotDelivered: (reason) => logger.warn('metrics not delivered', { reason }),
    failed: (part, error, retryMillis) =>
      logger.error('a part of the worker failed and goes on', { part, retryMillis, ...describeError(error) }),
  };
}
