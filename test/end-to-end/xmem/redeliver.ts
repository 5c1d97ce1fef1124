/**
 * Redelivers settled events, as if their acknowledgements were lost: only positions can show that
 * they are old, and their pointers are sent once more.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Document } from 'mongodb';
import { expect } from 'vitest';
import { inChunks } from '../../../lib/runtime/in-chunks.ts';
import { stack } from '../../support/stack.ts';
import { outbox, untilSettled } from '../../support/wait-for.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const perCall = 10;

/**
 * Sends them to the bus, as the publisher does, or to the queue, as the sweep does. Resolves when
 * all of them are processed again.
 */
export async function redeliver(events: readonly Document[], by: 'bus' | 'queue'): Promise<void> {
  const ids = [...new Set(events.map(({ _id }) => _id))];
  await outbox.updateMany({ _id: { $in: ids } }, { $set: { status: 'pending' }, $unset: { processedAt: '' } });
  await (by === 'bus' ? putOnBus(events) : putIntoQueue(events));
  expect((await untilSettled(ids)).map(({ status }) => status)).toStrictEqual(ids.map(() => 'processed'));
}

async function putOnBus(events: readonly Document[]): Promise<void> {
  const bus = new EventBridgeClient(aws);
  for (const chunk of inChunks(events, perCall)) {
    const Entries = chunk.map((event) => ({
      EventBusName: stack.eventBusName,
      Source: 'outgraph',
      DetailType: event.aggregateType,
      Detail: pointerText(event),
    }));
    expect(await bus.send(new PutEventsCommand({ Entries }))).toMatchObject({ FailedEntryCount: 0 });
  }
  bus.destroy();
}

async function putIntoQueue(events: readonly Document[]): Promise<void> {
  const queue = new SQSClient(aws);
  for (const chunk of inChunks(events, perCall)) {
    const Entries = chunk.map((event, index) => ({ Id: String(index), MessageBody: pointerText(event) }));
    const answer = await queue.send(new SendMessageBatchCommand({ QueueUrl: stack.queueUrl, Entries }));
    expect(answer.Failed ?? []).toStrictEqual([]);
  }
  queue.destroy();
}

function pointerText({ _id, aggregateType, aggregateId }: Document): string {
  return JSON.stringify({ eventId: String(_id), aggregateType, aggregateId });
}
