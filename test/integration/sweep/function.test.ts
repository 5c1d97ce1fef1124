/** The sweep's function as Lambda calls it, on real servers: what it logs about single events. */
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { Int32 } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { captureLog } from '../../support/captured-log.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

type Invoke = (event: unknown, context: Context) => Promise<unknown>;

const sqs = new SQSClient({ endpoint: servers.awsEndpointUrl });
let queueUrl: string;
let database: TestDatabase;
let invoke: Invoke;
const log = captureLog();
beforeAll(async () => {
  database = await createTestDatabase();
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: database.db.databaseName }));
  queueUrl = QueueUrl;
  const environment = {
    ...database.settings,
    QUEUE_URL: queueUrl,
    AWS_ENDPOINT_URL: servers.awsEndpointUrl,
    SWEEP_STALE_SECONDS: '1',
    POWERTOOLS_METRICS_NAMESPACE: 'Test',
    // Makes Powertools write to the test's console.
    POWERTOOLS_DEV: 'true',
    POWERTOOLS_LOG_LEVEL: 'DEBUG',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  invoke = (await import('../../../functions/sweep.ts')).handler as unknown as Invoke;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
  sqs.destroy();
  await database.drop();
});

const context = { getRemainingTimeInMillis: () => 50_000 } as Context;

it('logs republished events at DEBUG and dead ones at ERROR, with traces, without aggregates', async () => {
  const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736';
  const fields = { traceparent: `00-${trace_id}-00f067aa0ba902b7-01` };
  const stale = outboxEvent({ ...fields, aggregateId: 'secret-stale' });
  const exhausted = outboxEvent({ ...fields, aggregateId: 'secret-exhausted', attempts: new Int32(12) });
  await database.db.collection(outboxCollection).insertMany([stale, exhausted]);
  const about = (id: unknown) =>
    log.lines.map((line) => JSON.parse(line)).filter((line) => line.eventId === String(id));
  // They are stale after a second.
  const areLogged = async () => {
    await invoke({}, context);
    return [stale, exhausted].every(({ _id }) => about(_id).length > 0) || undefined;
  };
  await waitUntil(areLogged, { timeoutSeconds: 60, pollMillis: 100, what: 'both events to be stale' });
  expect(about(stale._id)).toMatchObject([{ level: 'DEBUG', message: 'event published again', trace_id, attempts: 1 }]);
  expect(about(exhausted._id)).toMatchObject([
    { level: 'ERROR', message: 'event dead', trace_id, code: 'attempts-exhausted' },
  ]);
  expect(log.lines.join('')).not.toContain('secret');
  expect(log.lines.join('')).not.toContain(servers.mongodbUri);
});
