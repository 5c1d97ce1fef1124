/** The scheduled sweep Lambda. Connects Lambda to the flow, and emits the alarms' metrics. */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { describeError } from '../contract/fault.ts';
import { recordIn } from '../runtime/metrics.ts';
import { prepareFunction } from '../runtime/prepare-function.ts';
import { sweepSettings } from '../runtime/settings.ts';
import { sweepLog } from './log.ts';
import { recordSweep } from './metrics.ts';
import type { SweepReport } from './sweep.ts';
import { wireSweep } from './wiring.ts';

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
  const record = recordIn(metrics);

  async function runSweep(_event: unknown, context: Context): Promise<SweepReport> {
    const remainingMillis = () => context.getRemainingTimeInMillis();
    return wired.use((sweeper) => sweeper.sweep(remainingMillis, reportRun, log));
  }

  function reportRun(report: SweepReport): void {
    recordSweep(report, record);
    const { failures, ...counts } = report;
    for (const error of failures) logger.error('a part of the sweep failed', { code: describeError(error).code });
    logger.info('sweep finished', counts);
  }

  return middy<unknown, SweepReport>().use(injectLambdaContext(logger)).use(logMetrics(metrics)).handler(runSweep);
}
