/**
 * The publisher with a real bus that fails in every way: every event arrives within one invocation.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { connectEventBus, sendPacks } from '../../../lib/publisher/event-bus.ts';
import { exclusiveLease } from '../../../lib/publisher/mongodb-lease.ts';
import { noCounts } from '../../../lib/publisher/publish.ts';
import { joinPublisher } from '../../../lib/publisher/wiring.ts';
import { publisherSettings, readSettings } from '../../../lib/runtime/settings.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { type BusFault, type FaultyBus, startFaultyBus } from '../../support/faulty-bus.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { silentLog } from '../../support/silent-log.ts';
import { createTestBus, type TestBus } from '../../support/test-bus.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let real: TestBus;
let bus: FaultyBus;
beforeAll(async () => {
  database = await createTestDatabase();
  real = await createTestBus();
  bus = await startFaultyBus(servers.awsEndpointUrl);
});
afterAll(async () => {
  await bus.close();
  await real.drop();
  await database.drop();
});

/**
 * Starts a publisher that continues as the function does, and collects the codes of its failures.
 */
function startPublisher(pointersPerEntry: number) {
  const client = connectEventBus({ endpoint: bus.url, requestMillis: 1_000 });
  const failed: string[] = [];
  let stopped = false;
  const settings = { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: database.db.databaseName };
  const publisher = joinPublisher(readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), settings), {
    send: (packs) => sendPacks(client, real.name, packs),
    pointersPerEntry,
    lingerMillis: 0,
    close: () => client.destroy(),
    lease: exclusiveLease('test'),
  });
  const log = {
    ...silentLog,
    publishingFailed: (error: unknown) => void failed.push(error instanceof Fault ? error.code : 'unexpected'),
    leaseLost: () => undefined,
  };
  const remaining = () => (stopped ? 0 : 1_000_000_000 - performance.now());
  const counts = noCounts();
  const publishing = publisher.publishUntilTimeIsUp(remaining, log, counts);
  return {
    failed,
    /**
     * Waits, because a publisher that ends during a retry rightly fails: it does not know what the
     * bus has accepted.
     */
    untilAnswered: (count: number) =>
      waitUntil(async () => counts.published >= count || undefined, {
        timeoutSeconds: 60,
        pollMillis: 20,
        what: 'the publisher to know that everything was accepted',
      }),
    end: async () => {
      stopped = true;
      const report = await publishing;
      await publisher.close();
      return report;
    },
  };
}

async function write(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => outboxEvent());
  await database.db.collection(outboxCollection).insertMany(events, { writeConcern: { w: 'majority' } });
  return events.map(({ _id }) => _id.toHexString());
}

const untilAccepted = (ids: readonly string[]) =>
  waitUntil(
    async () => {
      const taken = new Set(bus.taken.flatMap(({ eventIds }) => eventIds));
      return ids.every((id) => taken.has(id)) || undefined;
    },
    { timeoutSeconds: 90, pollMillis: 50, what: 'the bus to accept every event' },
  );

const faults: readonly (BusFault | null)[] = [
  { fault: 'refuse', indexes: [0, 1, 2, 5, 9] },
  { fault: 'unreachable' },
  null,
  { fault: 'short-answer', missing: 3 },
  { fault: 'error', status: 500, type: 'InternalException' },
  { fault: 'answer-lost' },
  null,
  { fault: 'error', status: 400, type: 'ThrottlingException' },
  { fault: 'hang' },
];

it.each([
  { pointersPerEntry: 1, events: 600 },
  { pointersPerEntry: 20, events: 6_000 },
])('no fault of the bus loses an event, with $pointersPerEntry pointers per entry', async ({
  pointersPerEntry,
  events,
}) => {
  bus.decide = (_, call) => faults[call % faults.length] ?? null;
  const publisher = startPublisher(pointersPerEntry);
  const written = [...(await write(events / 2)), ...(await write(events / 2))];
  await untilAccepted(written);
  bus.decide = null;
  await publisher.untilAnswered(written.length);
  expect(await publisher.end()).toMatchObject({ outcome: 'handed-over', refused: 0 });
});

it('the same invocation continues after an outage that outlasts every retry', async () => {
  const publisher = startPublisher(100);
  await untilAccepted(await write(1));
  bus.decide = () => ({ fault: 'unreachable' });
  const written = await write(25);
  await waitUntil(async () => publisher.failed.length > 0 || undefined, {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'the publisher to give up once',
  });
  bus.decide = null;
  await untilAccepted(written);
  await publisher.untilAnswered(1 + written.length);
  expect(await publisher.end()).toMatchObject({ outcome: 'handed-over', refused: 0 });
  expect(new Set(publisher.failed)).toStrictEqual(new Set(['bus-unavailable']));
});
