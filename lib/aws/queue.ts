/**
 * The SQS queue between the bus and the consumer, as the sweep uses it: it sends bare pointers past the bus, and looks how much is waiting.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';

/**
 * Sends at most `pointersPerCall` pointers, and returns how many the queue took.
 *
 * @throws Fault `queue-unavailable` if the call itself failed, after the SDK's own retries.
 */
export async function sendToQueue(client: SQSClient, queueUrl: string, pointers: readonly Pointer[]): Promise<number> {
  const entries = pointers.map(({ eventId, aggregateType, aggregateId }, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify({ eventId, aggregateType, aggregateId }),
  }));
  const answer = await withQueueFault(() =>
    client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
  );
  return answer.Successful?.length ?? 0;
}

/**
 * Messages that wait in the queue, are being worked on, or are delayed; SQS gives approximate counts.
 *
 * @throws Fault `queue-unavailable`.
 */
export async function countBacklog(client: SQSClient, queueUrl: string): Promise<number> {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const answer = await withQueueFault(() =>
    client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] })),
  );
  return names.reduce((sum, name) => sum + Number(answer.Attributes?.[name] ?? 0), 0);
}

async function withQueueFault<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw new Fault(
      'queue-unavailable',
      `SQS did not take the call (${error instanceof Error ? error.name : typeof error}).`,
      { cause: error },
    );
  }
}
