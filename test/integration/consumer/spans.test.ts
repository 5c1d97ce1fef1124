/**
 * The consumer's spans, on real servers and a collector: they belong to the writer's trace, and a
 * faulty collector does not affect any batch.
 */
import { context, trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { type Document, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ConsumeReport } from '../../../lib/consumer/ports.ts';
import { type Consumer, joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { graph as graphAggregate } from '../../../lib/projection/graph.ts';
import { consumerSettings, readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { recordEvent } from '../../../lib/writer/record-event.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { registerContexts } from '../../support/async-contexts.ts';
import { messagesOf } from '../../support/consume-events.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const sampled = `00-${traceId}-${spanId}-01`;
const consumerKind = 5;
const failed = 2;

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
let unregister: () => void;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
  unregister = registerContexts();
});
afterAll(async () => {
  unregister();
  await small.clear();
  await database.drop();
});

let receiver: OtlpReceiver;
let undelivered: string[];
const consumers: Consumer[] = [];
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  undelivered = [];
});
afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close();
  await receiver.close();
});

const environment = (given: object) => ({
  ...database.settings,
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  ...given,
});

/** A consumer that sends its spans before each batch ends, as the function does. */
function openConsumer(given: object = {}): Consumer {
  const queue = { ...noQueue, spans: { serviceName: 'test', queue: { system: 'aws_sqs', name: 'q' }, flush: true } };
  const consumer = joinConsumer(readSettings(consumerSettings, environment(given)), catalog, queue);
  consumers.push(consumer);
  return consumer;
}

const log = { ...silentLog, spansNotDelivered: (reason: string) => void undelivered.push(reason) };
const outbox = () => database.db.collection(outboxCollection);
const unique = () => `${small.graph.label}-${new ObjectId().toHexString()}`;
const graphEvent = (fields: Document = {}) =>
  upsertEvent({ nodes: [small.node(unique())] }, { aggregateId: unique(), ...fields });

function consume(consumer: Consumer, ids: readonly ObjectId[]): Promise<ConsumeReport> {
  return consumer.consume(messagesOf(ids), () => 60_000, log);
}

it("an applied event's span is a child of its writer's span and links to the span of its batch", async () => {
  const aggregateId = unique();
  const span = new TracerProvider().getTracer('writer').startSpan('save');
  await context.with(trace.setSpan(context.active(), span), () =>
    database.client.withSession((session) =>
      session.withTransaction(() =>
        recordEvent(session, database.db, graphAggregate, {
          operation: 'upsert',
          aggregateId,
          payload: { nodes: [small.node(aggregateId)], relationships: [] },
        }),
      ),
    ),
  );
  span.end();
  const before = BigInt(Date.now()) * 1_000_000n;
  const event = await outbox().findOne({ aggregateId });
  expect(await consume(openConsumer(), [event?._id ?? expect.fail('no event')])).toMatchObject({ applied: 1 });
  const [ofEvent, ofBatch, ...others] = receiver.spans;
  expect(others).toStrictEqual([]);
  const queue = {
    'messaging.system': 'aws_sqs',
    'messaging.destination.name': 'q',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
  };
  expect(ofEvent).toMatchObject({
    traceId: span.spanContext().traceId,
    parentSpanId: span.spanContext().spanId,
    name: 'process q',
    kind: consumerKind,
    status: 0,
    links: [{ traceId: ofBatch?.traceId, spanId: ofBatch?.spanId }],
    resource: { 'service.name': 'test' },
  });
  expect(ofEvent?.attributes).toStrictEqual({
    ...queue,
    'outgraph.event_id': String(event?._id),
    'outgraph.aggregate_type': 'graph',
    'outgraph.outcome': 'applied',
  });
  expect(ofBatch).toMatchObject({ parentSpanId: undefined, kind: consumerKind, links: [] });
  expect(ofBatch?.traceId).not.toBe(ofEvent?.traceId);
  // X-Ray requires the seconds first.
  const seconds = Number.parseInt(ofBatch?.traceId.slice(0, 8) ?? '', 16);
  expect(Math.abs(seconds - Number((ofBatch?.startNanos ?? 0n) / 1_000_000_000n))).toBeLessThanOrEqual(60);
  expect(ofBatch?.attributes).toStrictEqual({
    ...queue,
    'messaging.batch.message_count': 1,
    'outgraph.events.applied': 1,
  });
  for (const { startNanos, endNanos } of receiver.spans) {
    expect(startNanos).toBeGreaterThanOrEqual(before);
    expect(endNanos).toBeGreaterThan(startNanos);
  }
});

it('records the outcome of each sampled event, and nothing of its content', async () => {
  const [old, aggregateId] = [new Date(0), `secret-${unique()}`];
  const node = small.node('secret', { properties: { text: 'secret' } });
  const events = [
    upsertEvent({ nodes: [] }, { aggregateId, traceparent: sampled, createdAt: old }),
    upsertEvent({ nodes: [node] }, { aggregateId, traceparent: sampled }),
    upsertEvent(
      { nodes: [small.node('secret', { properties: { text: { secret: 1 } } })] },
      { aggregateId: unique(), traceparent: sampled },
    ),
    graphEvent({ traceparent: `00-${traceId}-${spanId}-00` }),
    graphEvent({ traceparent: 'not-a-trace' }),
    graphEvent(),
  ];
  for (const event of events) await outbox().insertOne(event);
  const ids = events.map(({ _id }) => _id);
  const report = await consume(openConsumer(), ids);
  expect(report).toMatchObject({ applied: 4, superseded: 1, dead: 1, failedMessageIds: [] });
  const ofEvents = receiver.spans.filter((span) => span.traceId === traceId);
  const outcomes = ofEvents.map(({ attributes, parentSpanId, status }) => [
    attributes['outgraph.event_id'],
    attributes['outgraph.outcome'],
    attributes['error.type'],
    status,
    parentSpanId,
  ]);
  const [superseded, applied, dead] = ids.map(String);
  expect(new Set(outcomes)).toStrictEqual(
    new Set([
      [superseded, 'superseded', undefined, 0, spanId],
      [applied, 'applied', undefined, 0, spanId],
      [dead, 'dead', 'value-unsupported', failed, spanId],
    ]),
  );
  expect(receiver.spans).toHaveLength(4);
  expect(receiver.bodies.join()).not.toContain('secret');
});

it('creates no span for a batch whose events are not traced, not sampled, or malformed', async () => {
  const events = [
    graphEvent(),
    graphEvent({ traceparent: `00-${traceId}-${spanId}-00` }),
    graphEvent({ traceparent: 'x' }),
  ];
  await outbox().insertMany(events);
  const ids = events.map(({ _id }) => _id);
  expect(await consume(openConsumer(), ids)).toMatchObject({ applied: 3, failedMessageIds: [] });
  expect({ requests: receiver.requests, undelivered }).toStrictEqual({ requests: 0, undelivered: [] });
});

it('records a server failure in the spans of the events and of the batch', async () => {
  const events = [graphEvent({ traceparent: sampled }), graphEvent({ traceparent: sampled })];
  await outbox().insertMany(events);
  const consumer = openConsumer();
  // The first batch has queried the servers. After that, Neo4j has no time to answer.
  await consume(consumer, [new ObjectId()]);
  const messages = messagesOf(events.map(({ _id }) => _id));
  const remaining = [60_000, 60_000];
  const late = () => remaining.pop() ?? 10_000;
  await expect(consumer.consume(messages, late, log)).rejects.toMatchObject({ code: 'time-up' });
  expect(receiver.spans.map(({ attributes, status }) => [attributes['error.type'], status])).toStrictEqual([
    ['time-up', failed],
    ['time-up', failed],
    ['time-up', failed],
  ]);
  expect(receiver.spans[0]?.attributes['outgraph.outcome']).toBe('retried');
});

it.each([
  'hang',
  'refuse',
] as const)('a collector with fault "%s" fails no batch, and gets no further request for a while', async (mood) => {
  receiver.mood = mood;
  const events = [graphEvent({ traceparent: sampled }), graphEvent({ traceparent: sampled })];
  await outbox().insertMany(events);
  const consumer = openConsumer();
  for (const { _id } of events) expect(await consume(consumer, [_id])).toMatchObject({ applied: 1 });
  expect(receiver.requests).toBe(1);
  expect(undelivered).toHaveLength(1);
  expect(undelivered.join()).not.toContain('127.0.0.1');
});

it('an unreachable collector fails no batch', async () => {
  const closed = await startOtlpReceiver();
  await closed.close();
  const event = graphEvent({ traceparent: sampled });
  await outbox().insertOne(event);
  const consumer = openConsumer({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${closed.url}/v1/traces` });
  expect(await consume(consumer, [event._id])).toMatchObject({ applied: 1 });
  expect(undelivered).toHaveLength(1);
});

it('creates no spans if OpenTelemetry is disabled', async () => {
  const event = graphEvent({ traceparent: sampled });
  await outbox().insertOne(event);
  expect(await consume(openConsumer({ OTEL_SDK_DISABLED: 'true' }), [event._id])).toMatchObject({ applied: 1 });
  expect(receiver.requests).toBe(0);
});

it('the worker creates the same spans, and sends the last ones before it stops', async () => {
  const event = graphEvent({ traceparent: sampled });
  await outbox().insertOne(event, { writeConcern: { w: 'majority' } });
  const settings = readSettings(workerSettings, environment({ PUBLISHER_LEASE_SECONDS: '5' }));
  const worker = startWorker(settings, catalog, { ...log, failed: () => undefined });
  await waitUntil(
    async () => (await outbox().countDocuments({ _id: event._id, status: 'processed' })) > 0 || undefined,
    {
      timeoutSeconds: 60,
      pollMillis: 20,
      what: 'the event to be applied',
    },
  );
  await worker.stop();
  const span = receiver.spans.find(({ attributes }) => attributes['outgraph.event_id'] === String(event._id));
  expect(span).toMatchObject({
    traceId,
    parentSpanId: spanId,
    attributes: { 'messaging.system': 'outgraph', 'messaging.destination.name': 'outbox' },
    resource: { 'service.name': 'outgraph-worker' },
  });
});
