/**
 * The publisher Lambda: invoked by a schedule that is shorter than its time-out, so that the next one is waiting for the lease already when
 * this one leaves. Only translates between Lambda and the flow.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { publisherSettings, readSettings } from '../lib/config.ts';
import { noCounts, type PublishReport } from '../lib/publish/publish.ts';
import { publishLog } from '../lib/wiring/publish-log.ts';
import { wirePublisher } from '../lib/wiring/publisher.ts';

const logger = new Logger();
const metrics = new Metrics();
const publisher = wirePublisher(readSettings(publisherSettings, process.env));

async function runPublisher(_event: unknown, context: Context): Promise<PublishReport> {
  const counts = noCounts();
  try {
    const report = await publisher.publishUntilTimeIsUp(
      () => context.getRemainingTimeInMillis(),
      publishLog(logger, metrics),
      counts,
    );
    if (report.outcome === 'handed-over') metrics.addMetric('PublisherRuns', MetricUnit.Count, 1);
    logger.info('publisher finished', { ...report });
    return report;
  } finally {
    metrics.addMetric('EventsPublished', MetricUnit.Count, counts.published);
    metrics.addMetric('EventsRefused', MetricUnit.Count, counts.refused);
    // Each loss was counted when it was found; these keep the series without gaps.
    metrics.addMetric('HistoryLost', MetricUnit.Count, 0);
    metrics.addMetric('ChangeEventsTooLarge', MetricUnit.Count, 0);
  }
}

export const handler = middy<unknown, PublishReport>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(runPublisher);
