/**
 * A long outage of the consumer, on a real outbox and a real queue: days pass in the simulated time
 * of the sweep.
 */
import { randomBytes } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { intoCalls, type Pack, readPointers } from '../../../lib/contract/pointer.ts';
import { countBacklog, sendToQueue } from '../../../lib/runtime/sqs.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { sweepOn } from '../../support/sweep-on.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const sqs = new SQSClient({ endpoint: servers.awsEndpointUrl, region: servers.awsRegion });
afterAll(() => sqs.destroy());

const minuteMillis = 60_000;

describe.each([1, 100])('with %i pointers in a message', (pointersPerEntry) => {
  let database: TestDatabase;
  let queueUrl: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    const answer = await sqs.send(new CreateQueueCommand({ QueueName: `outage-${randomBytes(6).toString('hex')}` }));
    queueUrl = answer.QueueUrl ?? '';
  });
  afterAll(async () => {
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
    await database.drop();
  });

  const outbox = () => database.db.collection(outboxCollection);
  const backlog = () => countBacklog(sqs, queueUrl);
  const countPending = () => outbox().countDocuments({ status: 'pending' });
  const pendingIds = async () =>
    (await outbox().find({ status: 'pending' }).project({ _id: 1 }).toArray()).map((event) => String(event._id));

  /** Number of pointers in the queue. */
  let waiting = 0;
  const send = async (packs: readonly Pack[]) => {
    const refused = await sendToQueue(sqs, queueUrl, packs);
    waiting += packs.flat().length - refused.flat().length;
    return refused;
  };

  /** Writes events and sends their pointers once, as the publisher does. */
  async function writeAndPublish(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => outboxEvent());
    await outbox().insertMany(events, { writeConcern: { w: 'majority' } });
    const pointers = events.map(({ _id, aggregateId }) => ({
      eventId: _id.toHexString(),
      aggregateType: 'graph',
      aggregateId,
    }));
    for (const call of intoCalls(pointers, pointersPerEntry)) await send(call);
  }

  let millisPassed = 0;
  /** Runs one pass, `minutes` after the last one. */
  async function sweepAfter(minutes: number): Promise<void> {
    millisPassed += minutes * minuteMillis;
    const now = new Date(Date.now() + millisPassed);
    const given = { readServerTime: async () => now, countBacklog: backlog, sendToQueue: send };
    await sweepOn(database.db, given, { pointersPerEntry });
  }

  /** Removes every message from the queue. Returns the events that they name. */
  async function emptyQueue(): Promise<ReadonlySet<string>> {
    const named = new Set<string>();
    while ((await backlog()) > 0) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }),
      );
      for (const { Body = '' } of Messages) {
        const reading = readPointers(Body);
        if (reading.outcome === 'read') for (const eventId of reading.eventIds) named.add(eventId);
      }
      const entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      if (entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
    }
    waiting = 0;
    return named;
  }

  it('the queue never holds more than twice the pending events, in two days without a consumer', async () => {
    await writeAndPublish(40);
    const fullness: number[] = [];
    for (let pass = 0; pass < 144; pass += 1) {
      if (pass % 12 === 0) await writeAndPublish(3);
      await sweepAfter(20);
      fullness.push(waiting / (await countPending()));
    }
    expect(Math.max(...fullness)).toBeLessThanOrEqual(2);
    // Every event has its message and one copy. A canary has only the copy, because the test did
    // not publish it.
    const canaries = await outbox().countDocuments({ ...canaryAggregate, status: 'pending' });
    expect(waiting).toBe(2 * (await countPending()) - canaries);
    expect(await outbox().countDocuments({ status: { $ne: 'pending' } })).toBe(0);
    expect(await outbox().countDocuments({ attempts: { $gt: 1 } })).toBe(0);
  });

  it('all events are published again if their messages are lost, however long the outage was', async () => {
    await emptyQueue();
    // The longest back-off is 15 minutes plus a quarter.
    await sweepAfter(20);
    expect(await backlog()).toBeGreaterThan(0);
    expect(await emptyQueue()).toStrictEqual(new Set(await pendingIds()));
  });

  it('the queue accepts a pointer with any characters in its aggregate id', async () => {
    const pointer = { eventId: '66a0c0ffee0123456789abcd', aggregateType: 'graph', aggregateId: '\ufffe\uffff' };
    expect(await send([[pointer]])).toStrictEqual([]);
    expect(await emptyQueue()).toStrictEqual(new Set([pointer.eventId]));
  });
});
