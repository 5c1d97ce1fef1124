/** The catch-up through a large backlog, in many short invocations, while new events arrive. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import type { Checkpoint } from '../../../lib/publisher/mongodb-lease.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { type TestPublisher, type TestPublisherOptions, testPublisher } from '../../support/test-publisher.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
const readCheckpoint = () => database.db.collection<Checkpoint>(checkpointCollection).findOne({ _id: 'test' });

async function write(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => outboxEvent());
  await outbox().insertMany(events, { writeConcern: { w: 'majority' } });
  return events.map(({ _id }) => _id.toHexString());
}

const start = (onSend: NonNullable<TestPublisherOptions['onSend']> = () => undefined): TestPublisher =>
  testPublisher({ mongodbUri: servers.mongodbUri, database: database.db.databaseName, onSend });

const untilSent = ({ sent }: TestPublisher, ids: readonly string[], what: string) => {
  const areSent = async () => {
    const sentIds = new Set(sent);
    return ids.every((id) => sentIds.has(id)) || undefined;
  };
  return waitUntil(areSent, { timeoutSeconds: 60, pollMillis: 20, what });
};

/**
 * Number of pointers that one invocation may repeat because its time was up before they were saved:
 * a chunk of the backlog, and the few events written meanwhile.
 */
const unsavedPointers = 500 + 500;

it('each invocation continues where the last one stopped, and new events get through', async () => {
  const written = await write(30_000);
  const seen = new Set<string>();
  let remainingCalls = 0;
  const publisher = start((pointers) => {
    remainingCalls -= 1;
    for (const { eventId } of pointers) seen.add(eventId);
  });
  const marks: bigint[] = [];
  let invocations = 0;
  try {
    while (seen.size < written.length) {
      written.push(...(await write(7)));
      remainingCalls = 170;
      invocations += 1;
      await publisher.publish(() => (remainingCalls > 0 && seen.size < written.length ? 60_000 : 0));
      const after = (await readCheckpoint())?.backlog?.after;
      if (after) marks.push(after.toBigInt());
    }
  } finally {
    await publisher.close();
  }
  expect(invocations).toBeGreaterThan(10);
  expect(marks).toStrictEqual([...marks].sort((one, other) => Number(one - other)));
  expect(publisher.sent.length).toBeLessThanOrEqual(written.length + invocations * unsavedPointers);
  expect(publisher.said).toStrictEqual([null]);
});

it('sends new events during the backlog, and moves the resume token', async () => {
  const old = await write(10_000);
  const fresh: string[] = [];
  let calls = 0;
  let checkpoint: Checkpoint | null = null;
  const publisher = start(async () => {
    calls += 1;
    if (calls === 60) fresh.push(...(await write(20)));
    if (calls === 900) checkpoint = await readCheckpoint();
    // A slow bus, so that the backlog lasts a second.
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
  try {
    const publishing = publisher.publish();
    await untilSent(publisher, old, 'every event to be sent');
    await untilSent(publisher, fresh, 'every new event to be sent');
    publisher.stop();
    await publishing;
  } finally {
    await publisher.close();
  }
  const lastOf = (ids: readonly string[]) => {
    const set = new Set(ids);
    return publisher.sent.findLastIndex((id) => set.has(id));
  };
  expect(lastOf(fresh)).toBeLessThan(lastOf(old));
  expect(checkpoint).toMatchObject({ backlog: { after: expect.anything() }, resumeToken: expect.anything() });
});

it('does not lose an event that commits after the catch-up has passed its position', async () => {
  const before = await write(1);
  const open = outboxEvent();
  const session = database.client.startSession();
  session.startTransaction({ writeConcern: { w: 'majority' } });
  await outbox().insertOne(open, { session });
  const after = await write(600);
  const publisher = start();
  const successor = start();
  try {
    const first = publisher.publish();
    await untilSent(publisher, [...before, ...after], 'the committed events to be sent');
    await waitUntil(async () => ((await readCheckpoint())?.backlog === null ? true : undefined), {
      timeoutSeconds: 10,
      pollMillis: 20,
      what: 'the end of the backlog',
    });
    publisher.stop();
    await first;
    expect(publisher.sent).not.toContain(open._id.toHexString());
    await session.commitTransaction();
    const second = successor.publish();
    await untilSent(successor, [open._id.toHexString()], 'the late event to be sent');
    successor.stop();
    await second;
    expect(successor.said).toStrictEqual([]);
  } finally {
    await session.endSession();
    await publisher.close();
    await successor.close();
  }
});
