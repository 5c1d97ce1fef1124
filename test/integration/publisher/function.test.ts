/**
 * The publisher's function as Lambda calls it, on a real MongoDB and a bus with controlled faults:
 * what it reports, and when.
 */
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import type { Checkpoint, ResumeToken } from '../../../lib/publisher/mongodb-lease.ts';
import { captureLog } from '../../support/captured-log.ts';
import { type FaultyBus, startFaultyBus } from '../../support/faulty-bus.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestBus, type TestBus } from '../../support/test-bus.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

type Invoke = (event: unknown, context: Context) => Promise<unknown>;

let database: TestDatabase;
let real: TestBus;
let bus: FaultyBus;
let invoke: Invoke;
const log = captureLog();
beforeAll(async () => {
  database = await createTestDatabase();
  real = await createTestBus();
  bus = await startFaultyBus(servers.awsEndpointUrl);
  const environment = {
    MONGODB_URI: servers.mongodbUri,
    MONGODB_DATABASE: database.db.databaseName,
    EVENT_BUS_NAME: real.name,
    AWS_ENDPOINT_URL: bus.url,
    POWERTOOLS_METRICS_NAMESPACE: 'Test',
    // Makes Powertools write to the test's console.
    POWERTOOLS_DEV: 'true',
    POWERTOOLS_METRICS_DISABLED: 'false',
    POWERTOOLS_LOG_LEVEL: 'DEBUG',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  invoke = (await import('../../../functions/publisher.ts')).handler as unknown as Invoke;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await bus.close();
  await real.drop();
  await database.drop();
});

/** A context with this much time remaining. */
function contextWith(millis: number): Context {
  const end = performance.now() + millis;
  return { getRemainingTimeInMillis: () => end - performance.now() } as Context;
}

const hasLogged = (metric: string, value: number) => log.lines.some((line) => JSON.parse(line)[metric] === value);

it('emits lost history before it sends anything, and the number of events at the end', async () => {
  // A token of another collection's stream, which is unknown to the outbox's stream.
  const elsewhere = database.db.collection('elsewhere');
  const stream = elsewhere.watch();
  await stream.tryNext();
  await elsewhere.insertOne({});
  const { _id: resumeToken } = (await stream.next()) as { _id: ResumeToken };
  await stream.close();
  await database.db
    .collection<Checkpoint>(checkpointCollection)
    .insertOne({ _id: 'publisher/0', owner: null, fence: 0, leaseExpiresAt: new Date(0), resumeToken });
  await database.db.collection(outboxCollection).insertOne(outboxEvent());
  const loggedAtSend: boolean[] = [];
  bus.onPutEvents = async () => void loggedAtSend.push(hasLogged('HistoryLost', 1));
  expect(await invoke({}, contextWith(15_000))).toMatchObject({ outcome: 'handed-over', historyLost: 1 });
  bus.onPutEvents = null;
  expect(loggedAtSend).toContain(true);
  expect(loggedAtSend).not.toContain(false);
  expect(hasLogged('EventsPublished', 1)).toBe(true);
  expect(hasLogged('PublisherRuns', 1)).toBe(true);
});

it('fails if the bus stays away, says why without a secret, and leaves the events to the next one', async () => {
  await database.db.collection(outboxCollection).insertOne(outboxEvent());
  bus.decide = () => ({ fault: 'unreachable' });
  await expect(invoke({}, contextWith(12_000))).rejects.toMatchObject({ code: 'bus-unavailable' });
  bus.decide = null;
  expect(hasLogged('EventsPublished', 0)).toBe(true);
  expect(log.lines.some((line) => JSON.parse(line).message === 'publishing failed')).toBe(true);
  expect(log.lines.join('')).not.toContain(servers.mongodbUri);
  expect(await invoke({}, contextWith(15_000))).toMatchObject({ outcome: 'handed-over', published: 1 });
});

it('logs each published event at DEBUG, with its trace and without its aggregate', async () => {
  const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${trace_id}-00f067aa0ba902b7-01`;
  const events = [outboxEvent({ aggregateId: 'secret', traceparent }), outboxEvent({ traceparent: 'secret' })];
  await database.db.collection(outboxCollection).insertMany(events, { writeConcern: { w: 'majority' } });
  await invoke({}, contextWith(15_000));
  const about = events.map(({ _id }) =>
    log.lines.map((line) => JSON.parse(line)).find((line) => line.eventId === String(_id)),
  );
  expect(about).toMatchObject([
    { level: 'DEBUG', message: 'event published', trace_id },
    { level: 'DEBUG', message: 'event published' },
  ]);
  expect(about[1]).not.toHaveProperty('trace_id');
  expect(log.lines.join('')).not.toContain('secret');
});
