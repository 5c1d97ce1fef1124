/**
 * The set-up Lambda. It is a custom resource of the stack, so it runs with every deployment, before
 * the functions that need it. A deployment whose set-up fails is rolled back.
 *
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda';
import pRetry from 'p-retry';
import { describeError } from '../contract/fault.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { prepareFunction } from '../runtime/prepare-function.ts';
import { setUpSettings } from '../runtime/settings.ts';
import { wireSetUp } from './wiring.ts';

/**
 * Creates the set-up's handler for the aggregate types of a catalog. Removing the stack changes
 * nothing in the databases.
 *
 * @throws Error at cold start that names every missing or wrong setting.
 * @example
 * export const handler = createSetUpHandler(createCatalog([person]));
 */
export function createSetUpHandler(catalog: AggregateCatalog) {
  const { logger, wired } = prepareFunction(setUpSettings, (settings) => wireSetUp(settings, catalog));

  async function applyOnce(): Promise<SetUpOutcome> {
    try {
      await wired.use((setUp) => setUp.apply());
      logger.info('set up');
      return { Status: 'SUCCESS' };
    } catch (error) {
      const described = describeError(error);
      logger.error('set-up failed', described);
      return { Status: 'FAILED', Reason: `outgraph's set-up failed (${described.code}): ${described.reason}` };
    }
  }

  async function runSetUp(event: CloudFormationCustomResourceEvent): Promise<void> {
    const outcome: SetUpOutcome = event.RequestType === 'Delete' ? { Status: 'SUCCESS' } : await applyOnce();
    await answer(event, outcome);
  }

  return middy<CloudFormationCustomResourceEvent, void>().use(injectLambdaContext(logger)).handler(runSetUp);
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
      const response = await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`CloudFormation's response URL answered with status ${response.status}.`);
    },
    { retries: 3, minTimeout: 200 },
  );
}
