/**
 * The log lines of the publisher's function, and the metrics of alarms that must not wait for the
 * end of an invocation.
 */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import { describeError } from '../contract/fault.ts';
import { eventFields, logsEachEvent } from '../runtime/event-fields.ts';
import { type MetricName, recordIn } from '../runtime/metrics.ts';
import type { LossCode, PublishLog } from './ports.ts';
import type { RetryLog } from './publish-until-time-is-up.ts';

/** The metric of each loss of the tail. */
export const lossMetrics = {
  'history-lost': 'HistoryLost',
  'change-event-too-large': 'ChangeEventsTooLarge',
} as const satisfies Record<LossCode, MetricName>;

/**
 * Creates the publisher's log. It counts a loss immediately, because an invocation that crashes
 * later would never report it.
 */
export function publishLog(
  logger: Pick<Logger, 'warn' | 'error' | 'debug' | 'level'>,
  metrics: Pick<Metrics, 'singleMetric'>,
): PublishLog & RetryLog {
  return {
    publishingPending: (code) => {
      if (code !== null) recordIn(metrics.singleMetric())(lossMetrics[code], 1);
      logger.warn('publishing every pending event', { reason: code ?? 'first-start' });
    },
    ...pointerLog(logger),
    publishingFailed: (error, retryMillis) =>
      logger.error('publishing failed', { ...describeError(error), retryMillis }),
    leaseLost: () => logger.warn('another publisher took over'),
  };
}

/** Log lines about single pointers, shared by the publisher's function and the worker. */
export function pointerLog(
  logger: Pick<Logger, 'error' | 'debug' | 'level'>,
): Pick<PublishLog, 'published' | 'leftToSweep'> {
  return {
    published: (pointers) => {
      if (logsEachEvent(logger)) for (const pointer of pointers) logger.debug('event published', eventFields(pointer));
    },
    leftToSweep: (pointers) => {
      logger.error('pointers left to the sweep', { count: pointers.length });
      if (!logsEachEvent(logger)) return;
      for (const pointer of pointers) logger.debug('event left to the sweep', eventFields(pointer));
    },
  };
}
