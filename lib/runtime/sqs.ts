/**
 * The SQS queue between the bus and the consumer. The sweep bypasses the bus: it sends bare packs
 * to the queue, and reads its length. The consumer changes the visibility of messages, and moves
 * unreadable ones to the dead-letter queue.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { Fault } from '../contract/fault.ts';
import { entriesPerCall, type Pack, packText } from '../contract/pointer.ts';
import { inChunks } from './in-chunks.ts';

/** Maximum number of messages in any batch call. */
const messagesPerCall = entriesPerCall;

/**
 * Sends the packs of one call, and returns those that the queue refused. A missing result counts as
 * a refusal.
 *
 * @throws Fault `queue-unavailable` if the call itself failed, after the SDK's retries.
 */
export async function sendToQueue(
  client: SQSClient,
  queueUrl: string,
  packs: readonly Pack[],
): Promise<readonly Pack[]> {
  const entries = packs.map((pack, index) => ({ Id: String(index), MessageBody: packText(pack) }));
  const answer = await withQueueFault(() =>
    client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
  );
  const taken = new Set(answer.Successful?.map((entry) => entry.Id));
  return packs.filter((_, index) => !taken.has(String(index)));
}

/** Approximate numbers of messages in a queue, as SQS reports them. */
export interface QueueCounts {
  readonly visible: number;
  /** Received by a consumer and not deleted yet. */
  readonly inFlight: number;
  readonly delayed: number;
}

/** @throws Fault `queue-unavailable`. */
export async function readQueueCounts(client: SQSClient, queueUrl: string): Promise<QueueCounts> {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const { Attributes = {} } = await withQueueFault(() =>
    client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] })),
  );
  const [visible, inFlight, delayed] = names.map((name) => Number(Attributes[name] ?? 0)) as [number, number, number];
  return { visible, inFlight, delayed };
}

/** Counts messages that are visible, in flight or delayed. @throws Fault `queue-unavailable`. */
export async function countBacklog(client: SQSClient, queueUrl: string): Promise<number> {
  const { visible, inFlight, delayed } = await readQueueCounts(client, queueUrl);
  return visible + inFlight + delayed;
}

async function withQueueFault<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw new Fault('queue-unavailable', `SQS request failed: ${error instanceof Error ? error.name : typeof error}.`, {
      cause: error,
    });
  }
}

/** A received message. */
interface ReceivedMessage {
  readonly receiptHandle: string;
}

/**
 * Makes received messages visible again after `seconds` instead of the queue's visibility time-out,
 * and returns how many the queue changed.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
 *
 * @throws Fault `queue-unavailable` if the call itself failed, after the SDK's retries.
 */
export async function changeVisibility(
  client: SQSClient,
  queueUrl: string,
  messages: readonly ReceivedMessage[],
  seconds: number,
): Promise<number> {
  const changeChunk = async (chunk: readonly ReceivedMessage[]) => {
    const entries = chunk.map(({ receiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }));
    const answer = await withQueueFault(() =>
      client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: entries })),
    );
    return answer.Successful?.length ?? 0;
  };
  const changed = await pMap(inChunks(messages, messagesPerCall), changeChunk, { concurrency: 10 });
  return changed.reduce((sum, count) => sum + count, 0);
}

/** Two queues, by their URLs. */
interface QueuePair {
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

/**
 * Moves an unreadable message unchanged to the dead-letter queue, with the reason as an attribute.
 * It deletes the message here, not at the end of the invocation: if the invocation failed for
 * another reason, the message would be moved again.
 *
 * @throws Fault `queue-unavailable`; the message may then be moved twice.
 */
export async function moveToDeadLetters(
  client: SQSClient,
  { queueUrl, deadLetterQueueUrl }: QueuePair,
  { body, receiptHandle, reason }: ReceivedMessage & { readonly body: string; readonly reason: string },
): Promise<void> {
  const attributes = { reason: { DataType: 'String', StringValue: reason } };
  await withQueueFault(async () => {
    await client.send(
      new SendMessageCommand({ QueueUrl: deadLetterQueueUrl, MessageBody: body, MessageAttributes: attributes }),
    );
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
  });
}
