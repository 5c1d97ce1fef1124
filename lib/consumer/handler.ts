/**
 * The consumer Lambda, invoked by the queue's event source mapping. It only translates between
 * Lambda's format and the consumer's flow.
 */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { Fault } from '../contract/fault.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { recordIn } from '../runtime/metrics.ts';
import { prepareFunction } from '../runtime/prepare-function.ts';
import { queueConsumerSettings } from '../runtime/settings.ts';
import { consumeLog } from './log.ts';
import { applyLags, recordCounts } from './metrics.ts';
import type { QueueMessage } from './queue-message.ts';
import { wireConsumer } from './wiring.ts';

/**
 * Creates the consumer's handler for the aggregate types of a catalog. Attach it to the queue with
 * `ReportBatchItemFailures`: it returns the ids of the messages that stay in the queue.
 *
 * @throws Error at cold start that names every missing or invalid setting.
 * @example
 * export const handler = createConsumerHandler(createCatalog([person]));
 */
export function createConsumerHandler(catalog: AggregateCatalog) {
  const { logger, metrics, wired } = prepareFunction(queueConsumerSettings, (settings) =>
    wireConsumer(settings, catalog),
  );
  const log = consumeLog(logger);
  const record = recordIn(metrics);

  async function runConsumer(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const messages = readMessages(event);
    const remainingMillis = () => context.getRemainingTimeInMillis();
    const report = await wired.use((consumer) => consumer.consume(messages, remainingMillis, log));
    recordCounts(report, record);
    const lags = applyLags(report, Date.now());
    if (lags.length > 0) record('ApplyLag', Math.max(...lags));
    const { failedMessageIds, appliedCreatedAt, lastFailure, ...counts } = report;
    logger.info('batch consumed', { messages: messages.length, unsettled: failedMessageIds.length, ...counts });
    return { batchItemFailures: failedMessageIds.map((itemIdentifier) => ({ itemIdentifier })) };
  }

  return middy<SQSEvent, SQSBatchResponse>()
    .use(injectLambdaContext(logger))
    .use(logMetrics(metrics))
    .handler(runConsumer);
}

const recordSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().positive() }),
  receiptHandle: z.string(),
});
const eventSchema = z.object({ Records: z.array(recordSchema) });

/** @throws Fault `configuration-invalid` if the event is not a batch of SQS messages. */
function readMessages(event: unknown): readonly QueueMessage[] {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success)
    throw new Fault(
      'configuration-invalid',
      'The consumer was not invoked with a batch of SQS messages. ' +
        'Invoke it only through the event source mapping of its queue.',
    );
  return parsed.data.Records.map(({ messageId, body, attributes, receiptHandle }) => {
    return { messageId, body, receiveCount: attributes.ApproximateReceiveCount, receiptHandle };
  });
}
