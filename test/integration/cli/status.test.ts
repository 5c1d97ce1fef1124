/** `outgraph status` on real outboxes and a real queue. */
import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, DeleteQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Document, Timestamp } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { StatusReport } from '../../../cli/status/status-report.ts';
import { readStatus } from '../../../cli/status/wiring.ts';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { acquireLease, type Checkpoint, releaseLease } from '../../../lib/publisher/mongodb-lease.ts';
import { type CanaryNote, writeCanary } from '../../../lib/sweep/mongodb-canaries.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { explainQueries } from '../../support/explain-queries.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { answerOf, type RunningOutgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  for (const name of [outboxCollection, checkpointCollection]) await database.db.collection(name).deleteMany({});
});
const running: RunningOutgraph[] = [];
afterEach(() => Promise.all(running.splice(0).map((command) => command.interrupt())));
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000);
const writtenAgo = (seconds: number) => ({
  position: new Timestamp({ t: Math.floor(Date.now() / 1_000) - seconds, i: 1 }),
  createdAt: ago(seconds),
});
const processed = (secondsAgo: number, lagSeconds = 0.2) => ({
  status: 'processed',
  ...writtenAgo(Math.ceil(secondsAgo + lagSeconds)),
  createdAt: ago(secondsAgo + lagSeconds),
  processedAt: ago(secondsAgo),
});
const dead = { status: 'dead', deadAt: new Date(), error: { code: 'payload-invalid', message: 'for a test' } };
const insert = (...fields: readonly Document[]) => outbox().insertMany(fields.map((one) => outboxEvent(one)));

/** The settings without the graph, which status does not need. */
const settings = (more: Readonly<Record<string, string>> = {}) => {
  const { MONGODB_URI, MONGODB_DATABASE } = database.settings;
  return { MONGODB_URI, MONGODB_DATABASE, ...more };
};

type Status = StatusReport & { readonly exitCode: number | null };

const status = (more: Readonly<Record<string, string>> = {}, start = startOutgraph) =>
  answerOf<Status>(start(['status', '--json'], settings(more)));

function statusWithQueue(url: string): Promise<Status> {
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const aws = { AWS_ENDPOINT_URL: servers.awsEndpointUrl, AWS_REGION: servers.awsRegion, ...credentials };
  return status({ ...aws, QUEUE_URL: url }, startOutgraphProcess);
}

it('a stage with all events settled is in step, and the command exits 0', async () => {
  await insert(processed(1), processed(2), { ...canaryAggregate, ...processed(3, 40) });
  expect(await status()).toMatchObject({
    exitCode: 0,
    verdict: 'in-step',
    reasons: [],
    types: [],
    settledPerSecond: 2 / 60,
    lag: { events: 2, p50Millis: 200, maxMillis: 200 },
    queue: null,
    deadLetterQueue: null,
    publishers: [],
    canary: null,
  });
});

it('old pending events while others are settled mean catching up, and exit 0', async () => {
  await insert({ ...writtenAgo(400), aggregateType: 'person' }, { aggregateType: 'person' }, processed(1, 400));
  const found = await status();
  expect(found).toMatchObject({ exitCode: 0, verdict: 'catching-up', pending: 2, dead: 0 });
  expect(found.types).toMatchObject([{ aggregateType: 'person', pending: 2, dead: 0 }]);
  expect(Date.now() - Date.parse(String(found.types[0]?.oldestPendingAt))).toBeGreaterThan(399_000);
});

it('events pending longer than SWEEP_STALE_SECONDS with none settled mean out of step, and exit 4', async () => {
  await insert(writtenAgo(400));
  expect(await status()).toMatchObject({ exitCode: 4, verdict: 'out-of-step', pending: 1 });
  expect(await status({ SWEEP_STALE_SECONDS: '500' })).toMatchObject({ exitCode: 0, verdict: 'in-step', pending: 1 });
});

it('dead events mean out of step and are counted by type, without canaries', async () => {
  await insert({ ...dead, aggregateType: 'book' }, { aggregateType: 'book' }, { ...canaryAggregate, ...dead });
  const found = await status();
  expect(found).toMatchObject({
    exitCode: 4,
    verdict: 'out-of-step',
    dead: 1,
    types: [{ aggregateType: 'book', pending: 1, dead: 1 }],
  });
  expect(found.reasons[0]).toContain('1 event is dead');
});

it('reports the last canary, the publishers and their leases', async () => {
  const checkpoints = database.db.collection<Checkpoint>(checkpointCollection);
  await writeCanary(outbox(), database.db.collection<CanaryNote>(checkpointCollection), new Date());
  await acquireLease(checkpoints, { id: 'publisher/0', owner: 'one', leaseSeconds: 60 });
  const over = await acquireLease(checkpoints, { id: 'publisher/1', owner: 'two', leaseSeconds: 60 });
  if (over === null) throw new Error('The lease was free.');
  await releaseLease(checkpoints, over);
  const { canary, publishers } = await status();
  expect(canary).toMatchObject({ processedAt: null });
  expect(publishers).toMatchObject([
    { id: 'publisher/0', owner: 'one', hasBacklog: false, updatedAt: expect.any(String) },
    { id: 'publisher/1', owner: null },
  ]);
});

it('reports the number of messages in the queues that are set', async () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SQSClient({ endpoint: servers.awsEndpointUrl, region: servers.awsRegion, credentials });
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: `status-${randomUUID()}` }));
  try {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 600 }));
    const found = await statusWithQueue(String(QueueUrl));
    expect(found).toMatchObject({ queue: { visible: 1, inFlight: 0, delayed: 1 }, deadLetterQueue: null });
  } finally {
    await client.send(new DeleteQueueCommand({ QueueUrl }));
    client.destroy();
  }
});

it('a missing queue fails the command with a reason that names SQS', async () => {
  const found = await statusWithQueue(`${servers.awsEndpointUrl}/000000000000/none`);
  expect(found).toMatchObject({ exitCode: 1, outcome: 'failed', reason: expect.stringContaining('SQS') });
});

it('--watch reports each change, and Ctrl-C exits 0', async () => {
  let stdout = '';
  const command = startOutgraphProcess(['status', '--watch', '0.2', '--json'], settings(), (text) => {
    stdout += text;
  });
  running.push(command);
  const verdicts = () =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).verdict as string);
  const until = (verdict: string) =>
    waitUntil(async () => (verdicts().at(-1) === verdict ? true : undefined), {
      timeoutSeconds: 30,
      pollMillis: 20,
      what: `the verdict ${verdict}`,
    });
  await until('in-step');
  await insert(dead);
  await until('out-of-step');
  await outbox().deleteMany({});
  await until('in-step');
  command.interrupt();
  expect(await command.ended).toMatchObject({ exitCode: 0, stderr: '' });
});

it('--watch as text into a file prints each report as a separate block', async () => {
  let stdout = '';
  const command = startOutgraph(['status', '--watch', '0.1'], settings(), (text) => {
    stdout += text;
  });
  running.push(command);
  await waitUntil(async () => (stdout.split('In step.').length > 3 ? true : undefined), {
    timeoutSeconds: 30,
    pollMillis: 20,
    what: 'three reports',
  });
  command.interrupt();
  expect(await command.ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(stdout).not.toContain('\u001b');
});

it('wrong use is refused before any request', async () => {
  const { exitCode, stderr } = await startOutgraph(['status', '--watch', 'soon'], settings()).ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 2, stderr: expect.stringContaining('a number of seconds') });
});

it('every query uses an index and reads a limited number of documents', async () => {
  const many = (count: number, fields: Document) => Array.from({ length: count }, () => outboxEvent(fields));
  await outbox().insertMany(many(300, {}));
  await outbox().insertMany(many(200, dead));
  await outbox().insertMany(many(500, processed(10_000)));
  await outbox().insertMany(many(20, processed(1)));
  const work = await explainQueries(servers.mongodbUri, database.db.databaseName, (db) =>
    readStatus({ db, queues: null }, { staleSeconds: 120 }),
  );
  const onOutbox = work.filter(({ indexes }) => indexes.some((index) => index.startsWith('outgraph_')));
  expect(onOutbox.length).toBeGreaterThanOrEqual(8);
  expect(Math.max(...work.map(({ documents }) => documents))).toBeLessThanOrEqual(300);
  expect(work.flatMap(({ indexes }) => indexes).filter((name) => name === 'SORT')).toStrictEqual([]);
});
