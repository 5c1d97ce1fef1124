/**
 * How fast LocalStack itself is, with events that were never there: the consumer settles their pointers without effect,
 * after one look into MongoDB for each batch.
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

/** LocalStack's own pace, each per second. */
export interface LocalstackPace {
  /** Bare PutEvents on a bus without rules. */
  readonly bus: number;
  /**
   * Bare PutEvents on the stack's bus, until the consumer has had them all: bus, rule, queue, event source mapping and
   * function.
   */
  readonly wholeWay: number;
  /** Messages that wait in the queue, until the consumer has had them all: event source mapping and function alone. */
  readonly delivery: number;
}

/** So few that LocalStack takes seconds for them. */
const busPointers = 3_000;
const wayPointers = 2_000;

/** Messages become visible together, this long after the first of them is sent. */
const hiddenSeconds = 10;

const nobody: Pointer = { eventId: '0'.repeat(24), aggregateType: 'graph', aggregateId: 'never-there' };

/** Measures on a stack on which nothing else runs. */
export async function measureLocalstack({ description, logsFolder }: Stack): Promise<LocalstackPace> {
  const { awsEndpointUrl: endpoint, awsRegion: region, functions: names, eventBusName, queueUrl } = description;
  const client = { endpoint, region, credentials: sdkCredentials };
  const bus = new EventBridgeClient(client);
  const sqs = new SQSClient(client);
  const functions = new DeployedFunctions(endpoint, region, names, logsFolder);
  try {
    const own = `load-${randomBytes(4).toString('hex')}`;
    await bus.send(new CreateEventBusCommand({ Name: own }));
    await putEventsBare(bus, own, busPointers, nobody.aggregateId);
    const busSeconds = await secondsOf(() => putEventsBare(bus, own, busPointers, nobody.aggregateId));
    await bus.send(new DeleteEventBusCommand({ Name: own }));

    const allConsumed = await countingConsumed(functions, wayPointers);
    const waySeconds = await secondsOf(async () => {
      await putEventsBare(bus, eventBusName, wayPointers, nobody.aggregateId);
      await allConsumed();
    });
    const allDelivered = await countingConsumed(functions, wayPointers);
    const visibleAt = await sendHidden(sqs, queueUrl);
    await allDelivered();
    const deliverySeconds = (Date.now() - visibleAt) / 1000;
    return {
      bus: busPointers / busSeconds,
      wholeWay: wayPointers / waySeconds,
      delivery: wayPointers / deliverySeconds,
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
 * Begins to count the messages that the consumer's log tells of; what it returns waits until there are so many more.
 */
async function countingConsumed(functions: DeployedFunctions, count: number): Promise<() => Promise<unknown>> {
  const consumed = async () =>
    (await functions.consumedBatches()).reduce((sum, { messages }) => sum + Number(messages), 0);
  const before = await consumed();
  const all = async () => (await consumed()) - before >= count || undefined;
  return () => waitUntil(all, { timeoutSeconds: 300, pollMillis: 50, what: 'the consumer to have every message' });
}

/** Fills the queue with messages that stay hidden until a moment, which is returned. */
async function sendHidden(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const visibleAt = Date.now() + hiddenSeconds * 1000;
  const numbers = Array.from({ length: wayPointers }, (_, index) => index);
  const send = (some: readonly number[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: some.map((number) => ({
          Id: String(number),
          MessageBody: JSON.stringify(nobody),
          DelaySeconds: Math.max(0, Math.round((visibleAt - Date.now()) / 1000)),
        })),
      }),
    );
  await pMap(inChunks(numbers, entriesPerCall), send, { concurrency: concurrentCalls });
  return visibleAt;
}
