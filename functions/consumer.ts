/** The consumer Lambda, on the queue's event source mapping. Only translates: Lambda's messages in, the flow, the messages that stay in the queue out. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { queueConsumerSettings, readSettings } from '../lib/config.ts';
import type { ConsumeReport } from '../lib/consume/consume-ports.ts';
import type { QueueMessage } from '../lib/consume/queue-message.ts';
import { consumeLog } from '../lib/wiring/consume-log.ts';
import { wireConsumer } from '../lib/wiring/consumer.ts';

const logger = new Logger();
const metrics = new Metrics();
const consumer = wireConsumer(readSettings(queueConsumerSettings, process.env));

const log = consumeLog(logger);

async function runConsumer(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const messages: QueueMessage[] = event.Records.map((record) => ({
    messageId: record.messageId,
    body: record.body,
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    receiptHandle: record.receiptHandle,
  }));
  const report = await consumer.consume(messages, () => context.getRemainingTimeInMillis(), log);
  recordMetrics(report);
  const { failedMessageIds, appliedCreatedAt, ...counts } = report;
  logger.info('batch consumed', { messages: messages.length, failed: failedMessageIds.length, ...counts });
  return { batchItemFailures: failedMessageIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

function recordMetrics(report: ConsumeReport): void {
  metrics.addMetric('EventsApplied', MetricUnit.Count, report.applied);
  metrics.addMetric('EventsSuperseded', MetricUnit.Count, report.superseded);
  metrics.addMetric('EventsDead', MetricUnit.Count, report.dead);
  metrics.addMetric('OwnershipConflicts', MetricUnit.Count, report.conflicts);
  metrics.addMetric('MessagesUnreadable', MetricUnit.Count, report.unreadable);
  const oldest = Math.min(...report.appliedCreatedAt.map((createdAt) => createdAt.getTime()));
  if (Number.isFinite(oldest)) metrics.addMetric('ApplyLag', MetricUnit.Milliseconds, Math.max(0, Date.now() - oldest));
}

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(runConsumer);
