/** SQS delivers twice, late or out of order, and the queue holds a message that is no pointer. */
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { ObjectId } from 'mongodb';
import { expect } from 'vitest';
import type { FailureStack } from '../../support/failure-stack.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

/** Puts the pointer of an event into the queue, after a delay in seconds. */
async function sendPointer(stack: FailureStack, eventId: string, DelaySeconds = 0): Promise<void> {
  const MessageBody = JSON.stringify({ eventId, aggregateType: 'graph', aggregateId: 'any' });
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.deployment.queueUrl, MessageBody, DelaySeconds }));
}

const untilQueueIsEmpty = (stack: FailureStack) =>
  until('the queue to be empty', async () => (await stack.countMessages('queue')) === 0);

export const queueRows = {
  messagesAgain: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(4);
    await workload.update(1);
    await workload.remove([0]);
    await expectInStep(workload, 9);
    // As if their acknowledgements were lost: only the positions show which events are old.
    const eventIds = await workload.eventIds();
    const _id = { $in: eventIds.map((id) => new ObjectId(id)) };
    await stack.outbox.updateMany({ _id }, { $set: { status: 'pending' }, $unset: { processedAt: '' } });
    for (const [index, eventId] of [...eventIds].reverse().entries()) await sendPointer(stack, eventId, index % 3);
    for (const eventId of eventIds) await sendPointer(stack, eventId);
    await expectInStep(workload, 9);
    await untilQueueIsEmpty(stack);
    await expectInStep(workload, 9);
  },

  messageOutlives: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(2);
    await workload.remove([0]);
    await expectInStep(workload, 3);
    const eventIds = await workload.eventIds();
    const _id = { $in: eventIds.map((id) => new ObjectId(id)) };
    const longAgo = new Date(Date.now() - 30 * 86_400_000);
    await stack.outbox.updateMany({ _id }, { $set: { processedAt: longAgo } });
    await until('MongoDB to purge the events', async () => (await stack.outbox.countDocuments({ _id })) === 0);
    for (const eventId of eventIds) await sendPointer(stack, eventId);
    await untilQueueIsEmpty(stack);
    await expectInStep(workload, 0);
    expect(await stack.countMessages('deadLetterQueue')).toBe(0);
  },

  messageUnreadable: async (stack) => {
    const workload = new Workload(stack);
    const MessageBody = `not a pointer ${new ObjectId().toHexString()}`;
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.deployment.queueUrl, MessageBody }));
    await workload.insert(1);
    await expectInStep(workload, 1);
    const QueueUrl = stack.deployment.deadLetterQueueUrl;
    const MessageAttributeNames = ['All'];
    const { Messages = [] } = await stack.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MessageAttributeNames }),
    );
    expect(Messages).toMatchObject([
      { Body: MessageBody, MessageAttributes: { reason: { StringValue: 'the body is not JSON' } } },
    ]);
    expect(await stack.functions.logLines('consumer')).toContainEqual(
      expect.objectContaining({ level: 'ERROR', message: 'message unreadable' }),
    );
    for (const { ReceiptHandle } of Messages) {
      await stack.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
    await untilQueueIsEmpty(stack);
  },
} satisfies CrashRows;
