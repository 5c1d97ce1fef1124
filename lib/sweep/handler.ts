/** The scheduled sweep Lambda. Connects Lambda to the flow, and emits the alarms' metrics. */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { describeError } from '../contract/fault.ts';
import { prepareFunction } from '../runtime/prepare-function.ts';
import { sweepSettings } from '../runtime/settings.ts';
import { sweepLog } from './log.ts';
import type { SweepReport } from './sweep.ts';
import { wireSweep } from './wiring.ts';

/** Metric and unit of each figure; null is not emitted. `infra/alarms.yml` uses these names. */
const figures = {
  pending: ['EventsPending', MetricUnit.Count],
  oldestPendingSeconds: ['OldestPendingAge', MetricUnit.Seconds],
  dead: ['EventsDeadTotal', MetricUnit.Count],
  republished: ['EventsRepublished', MetricUnit.Count],
  exhausted: ['EventsExhausted', MetricUnit.Count],
  tombstonesPurged: ['TombstonesPurged', MetricUnit.Count],
  canaryLagMillis: ['CanaryLag', MetricUnit.Milliseconds],
  applyLagP50Millis: ['ApplyLagP50', MetricUnit.Milliseconds],
  applyLagP99Millis: ['ApplyLagP99', MetricUnit.Milliseconds],
  publisherSilenceSeconds: ['PublisherSilence', MetricUnit.Seconds],
  queueBacklog: ['QueueBacklog', MetricUnit.Count],
} as const satisfies { readonly [Figure in keyof SweepReport]?: readonly [string, string] };

/**
 * Creates the sweep's handler.
 *
 * @throws Error at cold start that names every missing or wrong setting.
 * @example
 * export const handler = createSweepHandler();
 */
export function createSweepHandler() {
  const { logger, metrics, wired } = prepareFunction(sweepSettings, wireSweep);
  const log = sweepLog(logger);

  async function runSweep(_event: unknown, context: Context): Promise<SweepReport> {
    const remainingMillis = () => context.getRemainingTimeInMillis();
    return wired.use((sweeper) => sweeper.sweep(remainingMillis, record, log));
  }

  function record({ failures, ...report }: SweepReport): void {
    for (const [figure, [name, unit]] of Object.entries(figures)) {
      const value = report[figure as keyof typeof figures];
      if (value !== null) metrics.addMetric(name, unit, value);
    }
    metrics.addMetric('SweepRuns', MetricUnit.Count, 1);
    for (const error of failures) logger.error('a part of the sweep failed', { code: describeError(error).code });
    logger.info('sweep finished', { ...report });
  }

  return middy<unknown, SweepReport>().use(injectLambdaContext(logger)).use(logMetrics(metrics)).handler(runSweep);
}
