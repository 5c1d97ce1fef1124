/** The sweep Lambda, on a schedule. Only translates between Lambda and the flow, and reports what the alarms watch. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { readSettings, sweepSettings } from '../lib/config.ts';
import type { SweepReport } from '../lib/sweep/sweep.ts';
import { wireSweep } from '../lib/wiring/sweep.ts';

const logger = new Logger();
const metrics = new Metrics();
const sweeper = wireSweep(readSettings(sweepSettings, process.env));

async function runSweep(_event: unknown, context: Context): Promise<SweepReport> {
  const report = await sweeper.sweep(() => context.getRemainingTimeInMillis());
  metrics.addMetric('EventsRepublished', MetricUnit.Count, report.republished);
  metrics.addMetric('EventsExhausted', MetricUnit.Count, report.exhausted);
  metrics.addMetric('TombstonesPurged', MetricUnit.Count, report.tombstonesPurged);
  metrics.addMetric('EventsPending', MetricUnit.Count, report.pending);
  metrics.addMetric('EventsDeadTotal', MetricUnit.Count, report.dead);
  metrics.addMetric('OldestPendingAge', MetricUnit.Seconds, report.oldestPendingSeconds);
  logger.info('sweep finished', { ...report });
  return report;
}

export const handler = middy<unknown, SweepReport>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(runSweep);
