/**
 * The set-up Lambda: a custom resource of the stack. It therefore runs with every deployment,
 * before the functions that need it. If it fails, CloudFormation rolls the deployment back.
 *
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse, Context } from 'aws-lambda';
import pRetry from 'p-retry';
import { describeError } from '../contract/fault.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { type PreparedFunction, prepareFunction } from '../runtime/prepare-function.ts';
import { setUpFunctionSettings } from '../runtime/settings.ts';
import { withinTime } from '../runtime/within-time.ts';
import { stackOfArn } from './mongodb-deployed-stack.ts';
import { isRollback } from './rollback.ts';
import { type SetUp, wireSetUp } from './wiring.ts';

/** The time kept for the answer. Without one, CloudFormation waits until its own time-out. */
const answerMillis = 15_000;

/**
 * Creates the set-up's handler for the aggregate types of a catalog. Removing the stack and rolling
 * a deployment back change nothing in the databases. The handler answers every request, even if a
 * setting is missing or wrong.
 *
 * @example
 * export const handler = createSetUpHandler(createCatalog([person]));
 */
export function createSetUpHandler(catalog: AggregateCatalog) {
  const logger = new Logger();
  // Prepared by the first request that needs it: a wrong setting is answered instead of ending the
  // cold start.
  let prepared: PreparedFunction<SetUp> | undefined;

  async function apply(stack: string, millis: number): Promise<SetUpOutcome> {
    try {
      prepared ??= prepareFunction(setUpFunctionSettings, (settings) => wireSetUp(settings, catalog));
      const { wired } = prepared;
      const { newer } = await withinTime('A database', millis, () => wired.use((setUp) => setUp.apply({ stack })));
      if (newer === null) logger.info('set up');
      else logger.warn('set-up left as it is', { newer });
      return { Status: 'SUCCESS' };
    } catch (error) {
      const described = describeError(error);
      logger.error('set-up failed', described);
      return { Status: 'FAILED', Reason: `outgraph's set-up failed (${described.code}): ${described.reason}` };
    }
  }

  async function run(event: CloudFormationCustomResourceEvent, context: Context): Promise<SetUpOutcome> {
    if (event.RequestType === 'Delete') return { Status: 'SUCCESS' };
    if (isRollback(event)) {
      logger.warn('set-up not run', { reason: 'CloudFormation is rolling the deployment back' });
      return { Status: 'SUCCESS' };
    }
    return apply(stackOfArn(event.StackId), context.getRemainingTimeInMillis() - answerMillis);
  }

  return middy<CloudFormationCustomResourceEvent, void>()
    .use(injectLambdaContext(logger))
    .handler(async (event, context) => answer(event, await run(event, context)));
}

type SetUpOutcome = { readonly Status: 'SUCCESS' } | { readonly Status: 'FAILED'; readonly Reason: string };

/** Sends the response that CloudFormation waits for. */
async function answer(event: CloudFormationCustomResourceEvent, outcome: SetUpOutcome): Promise<void> {
  const body: CloudFormationCustomResourceResponse = {
    Reason: '',
    ...outcome,
    // Always the same: after a new id, CloudFormation would delete the previous resource.
    PhysicalResourceId: 'outgraph-set-up',
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  };
  await pRetry(
    async () => {
      const response = await fetch(event.ResponseURL, {
        method: 'PUT',
        // The URL's signature covers the header, which AWS signs as empty.
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
        headers: { 'content-type': '' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`CloudFormation's response URL answered with status ${response.status}.`);
    },
    { retries: 3, minTimeout: 200 },
  );
}
