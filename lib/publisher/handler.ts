/**
 * The publisher Lambda. It only translates between Lambda and the flow. Its schedule is shorter
 * than its time-out, so that the next invocation already waits for the lease when this one hands it
 * over.
 */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { recordIn } from '../runtime/metrics.ts';
import { prepareFunction } from '../runtime/prepare-function.ts';
import { publisherSettings } from '../runtime/settings.ts';
import { publishLog } from './log.ts';
import { noCounts, type PublishReport } from './publish.ts';
import { wirePublisher } from './wiring.ts';

/**
 * Creates the publisher's handler. It needs no catalog, because it reads no payload.
 *
 * @throws Error at cold start that names every missing or invalid setting.
 * @example
 * export const handler = createPublisherHandler();
 */
export function createPublisherHandler() {
  const { logger, metrics, wired } = prepareFunction(publisherSettings, wirePublisher);
  const record = recordIn(metrics);

  async function runPublisher(_event: unknown, context: Context): Promise<PublishReport> {
    const counts = noCounts();
    const remainingMillis = () => context.getRemainingTimeInMillis();
    const log = publishLog(logger, metrics);
    try {
      const report = await wired.use((publisher) => publisher.publishUntilTimeIsUp(remainingMillis, log, counts));
      if (report.outcome === 'handed-over') record('PublisherRuns', 1);
      logger.info('publisher finished', { ...report });
      return report;
    } finally {
      record('EventsPublished', counts.published);
      record('EntriesPublished', counts.entries);
      record('EventsRefused', counts.refused);
      // Each loss was counted when it was found. These zeros keep the series free of gaps.
      record('HistoryLost', 0);
      record('ChangeEventsTooLarge', 0);
    }
  }

  return middy<unknown, PublishReport>()
    .use(injectLambdaContext(logger))
    .use(logMetrics(metrics))
    .handler(runPublisher);
}
