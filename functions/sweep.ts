/** The sweep Lambda, on a schedule. Only translates between Lambda and the flow, and reports what the alarms watch. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { readSettings, sweepSettings } from '../lib/config.ts';
import { describeError } from '../lib/contract/fault.ts';
import type { SweepReport } from '../lib/sweep/sweep.ts';
import { wireSweep } from '../lib/wiring/sweep.ts';
import { sweepLog } from '../lib/wiring/sweep-log.ts';

const logger = new Logger();
const metrics = new Metrics();
const sweeper = wireSweep(readSettings(sweepSettings, process.env));

async function runSweep(_event: unknown, context: Context): Promise<SweepReport> {
  return sweeper.sweep(() => context.getRemainingTimeInMillis(), record, sweepLog(logger));
}

/** Each figure's metric and unit; what is null is not emitted. The alarms in `infra/alarms.yml` know them by these names. */
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

function record({ failures, ...report }: SweepReport): void {
  for (const [figure, [name, unit]] of Object.entries(figures)) {
    const value = report[figure as keyof typeof figures];
    if (value !== null) metrics.addMetric(name, unit, value);
  }
  metrics.addMetric('SweepRuns', MetricUnit.Count, 1);
  for (const error of failures) logger.error('a part of the sweep failed', { code: describeError(error).code });
  logger.info('sweep finished', { ...report });
}

export const handler = middy<unknown, SweepReport>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(runSweep);
