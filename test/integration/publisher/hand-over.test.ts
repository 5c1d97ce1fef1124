/** One publisher after another: what the lease allows when one stops, and when one stalls. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import type { Checkpoint } from '../../../lib/publisher/mongodb-lease.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { type TestPublisher, type TestPublisherOptions, testPublisher } from '../../support/test-publisher.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const readCheckpoint = (id: string) => database.db.collection<Checkpoint>(checkpointCollection).findOne({ _id: id });

async function write(): Promise<string> {
  const event = outboxEvent();
  await database.db.collection(outboxCollection).insertOne(event);
  return event._id.toHexString();
}

const start = (options: Partial<TestPublisherOptions>): TestPublisher =>
  testPublisher({ mongodbUri: servers.mongodbUri, database: database.db.databaseName, ...options });

const untilSent = ({ sent }: TestPublisher, id: string) =>
  waitUntil(async () => (sent.includes(id) ? true : undefined), {
    timeoutSeconds: 30,
    pollMillis: 2,
    what: 'the event to be sent',
  });

it('the publisher that waits for the lease takes over once it is released, without a gap', async () => {
  const first = start({ checkpointId: 'hand-over', leaseSeconds: 60 });
  const second = start({ checkpointId: 'hand-over', leaseSeconds: 60 });
  try {
    const leaving = first.publish();
    await untilSent(first, await write());
    const taking = second.publish();
    first.stop();
    expect(await leaving).toMatchObject({ outcome: 'handed-over' });
    const releasedAt = performance.now();
    const between = await write();
    await untilSent(second, between);
    // A waiting publisher checks the lease every quarter second, and a busy machine needs time to
    // open a stream. That is far less than the lease.
    expect(performance.now() - releasedAt).toBeLessThan(1_500);
    expect(second.sent).toStrictEqual([between]);
    second.stop();
    await taking;
  } finally {
    await first.close();
    await second.close();
  }
});

it('a publisher whose call outlasts its lease ends as lease-lost and does not move the checkpoint', async () => {
  const answer = Promise.withResolvers<void>();
  let hasStarted = false;
  const late = start({
    checkpointId: 'held-up',
    leaseSeconds: 1,
    onSend: async () => {
      hasStarted = true;
      await answer.promise;
    },
  });
  const next = start({ checkpointId: 'held-up', leaseSeconds: 1 });
  try {
    const id = await write();
    const holding = late.publish();
    await waitUntil(async () => hasStarted || undefined, {
      timeoutSeconds: 10,
      pollMillis: 5,
      what: 'the call to begin',
    });
    const taking = next.publish();
    await untilSent(next, id);
    next.stop();
    await taking;
    const checkpoint = await readCheckpoint('held-up');
    answer.resolve();
    expect(await holding).toMatchObject({ outcome: 'lease-lost', checkpoints: 0 });
    expect(await readCheckpoint('held-up')).toStrictEqual(checkpoint);
  } finally {
    answer.resolve();
    await late.close();
    await next.close();
  }
});

it('a publisher with many slow calls keeps its lease', async () => {
  const slow = start({
    checkpointId: 'slow',
    leaseSeconds: 1,
    onSend: () => new Promise((resolve) => setTimeout(resolve, 400)),
  });
  const other = start({ checkpointId: 'slow', leaseSeconds: 1 });
  try {
    const events = Array.from({ length: 450 }, () => outboxEvent());
    await database.db.collection(outboxCollection).insertMany(events);
    const publishing = slow.publish();
    await waitUntil(async () => slow.sent.length > 0 || undefined, {
      timeoutSeconds: 10,
      pollMillis: 5,
      what: 'the first call to end',
    });
    const waiting = other.publish();
    for (const { _id } of events) await untilSent(slow, _id.toHexString());
    slow.stop();
    expect(await publishing).toMatchObject({ outcome: 'handed-over' });
    other.stop();
    await waiting;
    expect(other.sent).toStrictEqual([]);
  } finally {
    await slow.close();
    await other.close();
  }
});
