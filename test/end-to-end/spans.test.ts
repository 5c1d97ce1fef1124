/**
 * A second copy of the deployed consumer, with an endpoint for spans, a log line for each event,
 * and a database that no publisher tails.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import type { SQSEvent } from 'aws-lambda';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { memoryEvent } from '../../xmem/aggregates/memory-event.ts';
import { registerContexts, withSpan } from '../support/async-contexts.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { stack } from '../support/stack.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { closeClients, query } from '../support/wait-for.ts';

const functionName = `${stack.functions.consumer}-traced-${new ObjectId().toHexString()}`;
const lambda = new LambdaClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion });
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

let database: TestDatabase;
let receiver: OtlpReceiver;
let unregister: () => void;
beforeAll(async () => {
  database = await createTestDatabase();
  receiver = await startOtlpReceiver();
  unregister = registerContexts();
  const deployed = await lambda.send(new GetFunctionCommand({ FunctionName: stack.functions.consumer }));
  const zip = await fetch(deployed.Code?.Location ?? '');
  const { Role, Handler, Runtime, MemorySize, Timeout, Architectures, Environment } = deployed.Configuration ?? {};
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: functionName,
      Code: { ZipFile: new Uint8Array(await zip.arrayBuffer()) },
      ...{ Role, Handler, Runtime, MemorySize, Timeout, Architectures },
      Environment: {
        Variables: {
          ...Environment?.Variables,
          MONGODB_DATABASE: database.db.databaseName,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          POWERTOOLS_LOG_LEVEL: 'DEBUG',
        },
      },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: functionName });
});
afterAll(async () => {
  await lambda.send(new DeleteFunctionCommand({ FunctionName: functionName }));
  lambda.destroy();
  unregister();
  await receiver.close();
  await database.drop();
  await closeClients();
});

const outbox = () => database.db.collection(outboxCollection);

/** Invokes the function with a batch, as the queue does. No message may remain in the queue. */
async function consume(ids: readonly ObjectId[]): Promise<void> {
  const records = ids.map((id) => ({
    messageId: String(id),
    body: JSON.stringify({ eventId: String(id), aggregateType: 'graph', aggregateId: 'x' }),
    attributes: { ApproximateReceiveCount: '1' },
    receiptHandle: 'none',
  }));
  const event = { Records: records } as unknown as SQSEvent;
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }));
  const payload = Buffer.from(answer.Payload ?? []).toString();
  expect(answer.FunctionError, payload).toBeUndefined();
  expect(JSON.parse(payload)).toStrictEqual({ batchItemFailures: [] });
}

/** Waits for the function's log lines about one event. */
async function logLinesOf(id: ObjectId): Promise<readonly Record<string, unknown>[]> {
  const file = path.join(stack.logsFolder, `${functionName}.log`);
  const find = async () => {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
    const about = lines.map((line) => JSON.parse(line)).filter((line) => line.eventId === String(id));
    return about.length > 0 ? about : undefined;
  };
  return waitUntil(find, { timeoutSeconds: 30, pollMillis: 100, what: `event ${id} to be logged` });
}

const spanOf = (id: ObjectId) =>
  receiver.spans.find(({ attributes }) => attributes['outgraph.event_id'] === String(id));

it('the trace of a write includes its arrival in the graph, and the log has both ids', async () => {
  const memories = trackCollection(database.client, database.db, memoryEvent);
  const user_id = `secret${new ObjectId().toHexString()}`;
  const document = { _id: new ObjectId(), user_id, date: '12-10' };
  await withSpan(traceId, spanId, 1, () => memories.insertOne(document));
  const event = await outbox().findOne({ aggregateId: String(document._id) });
  const { _id } = event ?? expect.fail('no event');
  await consume([_id]);
  expect(await query('MATCH (u:User {user_id: $user_id}) RETURN u', { user_id })).toHaveLength(1);
  expect(spanOf(_id)).toMatchObject({
    traceId,
    parentSpanId: spanId,
    attributes: { 'messaging.system': 'aws_sqs', 'outgraph.outcome': 'applied' },
    resource: { 'service.name': functionName },
  });
  expect(await logLinesOf(_id)).toMatchObject([
    {
      level: 'DEBUG',
      message: 'event consumed',
      outcome: 'applied',
      trace_id: traceId,
      function_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      xray_trace_id: expect.stringMatching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/),
    },
  ]);
});

it('trace context written by hand works too, and a malformed one does not stop its event', async () => {
  const [byHand, notSampled, malformed] = [
    `00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-00`,
    'not-a-trace',
  ].map((traceparent) => upsertEvent({ nodes: [] }, { traceparent })) as [
    ReturnType<typeof upsertEvent>,
    ReturnType<typeof upsertEvent>,
    ReturnType<typeof upsertEvent>,
  ];
  const events = [byHand, notSampled, malformed];
  await outbox().insertMany(events);
  await consume(events.map(({ _id }) => _id));
  expect(await outbox().countDocuments({ _id: { $in: events.map(({ _id }) => _id) }, status: 'processed' })).toBe(3);
  expect(spanOf(byHand._id)).toMatchObject({ traceId, parentSpanId: spanId });
  expect(spanOf(notSampled._id)).toBeUndefined();
  expect(spanOf(malformed._id)).toBeUndefined();
  expect(await logLinesOf(notSampled._id)).toMatchObject([{ trace_id: traceId, outcome: 'applied' }]);
  const [line] = await logLinesOf(malformed._id);
  expect(line).toMatchObject({ outcome: 'applied' });
  expect(line).not.toHaveProperty('trace_id');
});

it('logs and spans contain no payload, aggregate id, malformed trace context or connection string', async () => {
  const secret = `secret${new ObjectId().toHexString()}`;
  const fields = { aggregateId: secret, traceparent: `00-${traceId}-${spanId}-01` };
  const nodes = [{ label: 'E2eSpan', key: { id: secret }, properties: { text: secret } }];
  const good = upsertEvent({ nodes }, fields);
  const wrong = upsertEvent(
    { nodes: [{ ...nodes[0], properties: { text: { secret } } }] },
    { ...fields, aggregateId: `${secret}-wrong` },
  );
  const malformed = upsertEvent({ nodes: [] }, { traceparent: secret });
  await outbox().insertMany([good, wrong, malformed]);
  await consume([good._id, wrong._id, malformed._id]);
  expect(await logLinesOf(wrong._id)).toMatchObject([{ level: 'ERROR', message: 'event dead', trace_id: traceId }]);
  await logLinesOf(good._id);
  expect(spanOf(wrong._id)).toMatchObject({ attributes: { 'error.type': 'value-unsupported' } });
  const log = await readFile(path.join(stack.logsFolder, `${functionName}.log`), 'utf8');
  for (const text of [log, receiver.bodies.join()]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(stack.mongodbUri);
  }
});

it('an unresponsive collector delays nothing', async () => {
  receiver.mood = 'hang';
  const event = upsertEvent({ nodes: [] }, { traceparent: `00-${traceId}-${spanId}-01` });
  await outbox().insertOne(event);
  await consume([event._id]);
  expect(await outbox().findOne({ _id: event._id })).toMatchObject({ status: 'processed' });
});
