/**
 * The SQS queue between the bus and the consumer, as the sweep uses it: it sends bare pointers past the bus, and looks how much is waiting.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Fault } from '../contract/fault.ts';
import { type Pointer, pointerText } from '../contract/pointer.ts';

/**
 * Sends at most `pointersPerCall` pointers, and returns those that the queue refused: a missing answer is a refusal.
 *
 * @throws Fault `queue-unavailable` if the call itself failed, after the SDK's own retries.
 */
export async function sendToQueue(
  client: SQSClient,
  queueUrl: string,
  pointers: readonly Pointer[],
): Promise<readonly Pointer[]> {
  const entries = pointers.map((pointer, index) => ({ Id: String(index), MessageBody: pointerText(pointer) }));
  const answer = await withQueueFault(() =>
    client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
  );
  const taken = new Set(answer.Successful?.map((entry) => entry.Id));
  return pointers.filter((_, index) => !taken.has(String(index)));
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
