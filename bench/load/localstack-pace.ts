/**
 * Measures how fast LocalStack itself is, with pointers to events that do not exist. The consumer
 * settles them without effect, after one query to MongoDB for each batch.
 */
import { randomBytes } from 'node:crypto';
import { CreateEventBusCommand, DeleteEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { entriesPerCall, type Pointer } from '../../lib/contract/pointer.ts';
import { concurrentCalls } from '../../lib/publisher/send-all.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { DeployedFunctions } from '../../test/support/deployed-functions.ts';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import type { Stack } from '../../tools/local/stack.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { putEventsBare } from '../bare-put-events.ts';

/** LocalStack's own rates, each per second. */
export interface LocalstackPace {
  /** Bare PutEvents on a bus without rules. */
  readonly bus: number;
  /**
   * Bare PutEvents on the stack's bus, until the consumer has received all of them: bus, rule,
   * queue, event source mapping and function.
   */
  readonly wholeWay: number;
  /**
   * Messages that wait in the queue, until the consumer has received all of them: only event source
   * mapping and function.
   */
  readonly delivery: number;
}

/** LocalStack takes seconds for this few. */
const busPointers = 3_000;
const pathPointers = 2_000;

/** Messages become visible together, this long after the first one is sent. */
const hiddenSeconds = 10;

const unknownEvent: Pointer = { eventId: '0'.repeat(24), aggregateType: 'graph', aggregateId: 'never-there' };

/** Needs a stack on which nothing else runs. */
export async function measureLocalstack({ description, logsFolder }: Stack): Promise<LocalstackPace> {
  const { awsEndpointUrl: endpoint, awsRegion: region, functions: names, eventBusName, queueUrl } = description;
  const client = { endpoint, region, credentials: sdkCredentials };
  const bus = new EventBridgeClient(client);
  const sqs = new SQSClient(client);
  const functions = new DeployedFunctions(endpoint, region, names, logsFolder);
  try {
    const own = `load-${randomBytes(4).toString('hex')}`;
    await bus.send(new CreateEventBusCommand({ Name: own }));
    await putEventsBare(bus, own, busPointers, unknownEvent.aggregateId);
    const busSeconds = await secondsOf(() => putEventsBare(bus, own, busPointers, unknownEvent.aggregateId));
    await bus.send(new DeleteEventBusCommand({ Name: own }));

    const allConsumed = await startCounting(functions, pathPointers);
    const pathSeconds = await secondsOf(async () => {
      await putEventsBare(bus, eventBusName, pathPointers, unknownEvent.aggregateId);
      await allConsumed();
    });
    const allDelivered = await startCounting(functions, pathPointers);
    const visibleAt = await sendHidden(sqs, queueUrl);
    await allDelivered();
    const deliverySeconds = (Date.now() - visibleAt) / 1000;
    return {
      bus: busPointers / busSeconds,
      wholeWay: pathPointers / pathSeconds,
      delivery: pathPointers / deliverySeconds,
    };
  } finally {
    functions.close();
    bus.destroy();
    sqs.destroy();
  }
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) / 1000;
}

/**
 * Starts counting the messages in the consumer's log. The returned function waits for `count` more
 * messages.
 */
async function startCounting(functions: DeployedFunctions, count: number): Promise<() => Promise<unknown>> {
  const consumed = async () =>
    (await functions.consumedBatches()).reduce((sum, { messages }) => sum + Number(messages), 0);
  const before = await consumed();
  const all = async () => (await consumed()) - before >= count || undefined;
  return () => waitUntil(all, { timeoutSeconds: 300, pollMillis: 50, what: 'the consumer to receive every message' });
}

/** Fills the queue with messages that stay hidden until the returned time. */
async function sendHidden(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const visibleAt = Date.now() + hiddenSeconds * 1000;
  const numbers = Array.from({ length: pathPointers }, (_, index) => index);
  const send = (chunk: readonly number[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: chunk.map((number) => ({
          Id: String(number),
          MessageBody: JSON.stringify(unknownEvent),
          DelaySeconds: Math.max(0, Math.round((visibleAt - Date.now()) / 1000)),
        })),
      }),
    );
  await pMap(inChunks(numbers, entriesPerCall), send, { concurrency: concurrentCalls });
  return visibleAt;
}
