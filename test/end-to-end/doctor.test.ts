/** `outgraph doctor` on real servers: first with nothing wrong, then with one problem at a time. */
import { randomBytes } from 'node:crypto';
import { CreateQueueCommand, DeleteQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { CheckResult } from '../../cli/doctor/doctor.ts';
import { conflictCollection } from '../../lib/outbox/collections.ts';
import { markDead } from '../../lib/outbox/mongodb-mark-dead.ts';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { outboxValidator } from '../../lib/set-up/mongodb-validator.ts';
import { setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { stage as deployedStage, service } from '../../tools/local/deploy.ts';
import { catalog } from '../../xmem/catalog.ts';
import { connectGraph } from '../support/connect-graph.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { testOutboxId } from '../support/outbox-id.ts';
import { startOutgraphProcess } from '../support/run-outgraph.ts';
import { stack } from '../support/stack.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const sqs = new SQSClient({ endpoint: stack.awsEndpointUrl });
const queues: string[] = [];
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const driver = connectGraph(stack);
  await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  await driver.close();
});
afterEach(() => setUpOutbox(database.db, { processedRetentionSeconds: 3_600 }));
afterAll(async () => {
  await database.drop();
  for (const QueueUrl of queues) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  sqs.destroy();
});

const aws = {
  AWS_ENDPOINT_URL: stack.awsEndpointUrl,
  AWS_REGION: stack.awsRegion,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};
const stage = () => ({
  ...database.settings,
  ...aws,
  QUEUE_URL: stack.queueUrl,
  DEAD_LETTER_QUEUE_URL: stack.deadLetterQueueUrl,
  EVENT_BUS_NAME: stack.eventBusName,
});

interface Examination {
  readonly exitCode: number | null;
  readonly outcome: string;
  readonly output: string;
  readonly wrong: readonly string[];
  readonly of: (name: string) => CheckResult | undefined;
}

async function examine(settings: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Examination> {
  const { exitCode, stdout, stderr } = await startOutgraphProcess(['doctor', '--json', ...args], settings).ended;
  const { outcome, checks }: { outcome: string; checks: readonly CheckResult[] } = JSON.parse(stdout);
  const names = checks.map(({ group, name }) => `${group}: ${name}`);
  return {
    exitCode,
    outcome,
    output: stdout + stderr,
    wrong: names.filter((_, index) => checks[index]?.outcome === 'wrong'),
    of: (name) => checks[names.indexOf(name)],
  };
}

async function createQueue(attributes: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `doctor-${randomBytes(6).toString('hex')}`;
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
  queues.push(QueueUrl);
  return QueueUrl;
}

it('finds nothing wrong with a stage that is set up, and exits 0', async () => {
  const { exitCode, outcome, wrong, of } = await examine(stage());
  expect({ exitCode, outcome, wrong }).toStrictEqual({ exitCode: 0, outcome: 'done', wrong: [] });
  const mongodbAndNeo4jChecks = [
    'MongoDB: validator',
    'MongoDB: indexes',
    'MongoDB: oplog',
    'Neo4j: constraints',
    'Neo4j: indexes',
  ];
  const queueChecks = [
    'redrive policy',
    'visibility time-out',
    'retention',
    'encryption',
    'rule of the bus',
    'policy of the queue',
  ];
  for (const name of [...mongodbAndNeo4jChecks, ...queueChecks.map((one) => `Queue and bus: ${one}`)])
    expect(of(name)).toMatchObject({ name: name.split(': ')[1], outcome: 'ok' });
});

it('prints its checks by group, one line each, then a summary, and changes nothing', async () => {
  const { db } = database;
  const readState = async () => [await db.listCollections().toArray(), await db.collection('outbox').indexes()];
  const before = await readState();
  const { stdout, exitCode } = await startOutgraphProcess(['doctor'], { ...stage(), LANG: 'C.UTF-8' }).ended;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Configuration\n {2}✓ files .*\n {2}✓ settings/);
  expect(stdout).toMatch(/\n\nNeo4j\n {2}✓ reachable +version 5/);
  expect(stdout).toMatch(/\n\nNothing is wrong: \d+ ok, \d+ warnings?, 0 wrong, \d+ skipped\.\n$/);
  expect(await readState()).toStrictEqual(before);
});

it('without settings for queue and bus, it skips their checks and says so', async () => {
  const { exitCode, of } = await examine(database.settings);
  expect(exitCode).toBe(0);
  expect(of('Queue and bus: queue')).toMatchObject({ outcome: 'skipped', detail: 'QUEUE_URL is not set' });
});

it.each<readonly [string, (database: TestDatabase) => Promise<unknown>, string, RegExp]>([
  [
    'a removed validator',
    ({ db }) => db.command({ collMod: 'outbox', validator: {} }),
    'MongoDB: validator',
    /has no validator/,
  ],
  [
    'an altered validator',
    ({ db }) => db.command({ collMod: 'outbox', validator: { ...outboxValidator(), extra: { $exists: false } } }),
    'MongoDB: validator',
    /not the one of this version/,
  ],
  [
    'a validator that only warns',
    ({ db }) => db.command({ collMod: 'outbox', validationAction: 'warn' }),
    'MongoDB: validator',
    /accepts invalid events/,
  ],
  [
    'a dropped index',
    ({ db }) => db.collection('outbox').dropIndex('outgraph_pending'),
    'MongoDB: indexes',
    /^outgraph_pending of outbox is missing$/,
  ],
  [
    'an index on other fields',
    async ({ db }) => {
      await db.collection('outbox').dropIndex('outgraph_dead');
      await db.collection('outbox').createIndex({ deadAt: 1 }, { name: 'outgraph_dead' });
    },
    'MongoDB: indexes',
    /^outgraph_dead of outbox has different fields$/,
  ],
  [
    'a missing purge index',
    ({ db }) => db.collection('outbox').dropIndex('outgraph_purge'),
    'MongoDB: purge',
    /^nothing purges processed events/,
  ],
  [
    'a hidden index',
    ({ db }) => db.command({ collMod: 'outbox', index: { name: 'outgraph_unsettled', hidden: true } }),
    'MongoDB: indexes',
    /^outgraph_unsettled of outbox is hidden/,
  ],
  [
    'a different expiry time of conflicts',
    ({ db }) => db.command({ collMod: conflictCollection, index: { name: 'outgraph_forget', expireAfterSeconds: 5 } }),
    'MongoDB: indexes',
    /^outgraph_forget of outboxConflicts has a different expiry time$/,
  ],
  [
    'a missing collection',
    ({ db }) => db.dropCollection(conflictCollection),
    'MongoDB: collections',
    /^missing: outboxConflicts$/,
  ],
])('finds %s, exits 1 and recommends the set-up', async (_, damage, name, detail) => {
  await damage(database);
  const { exitCode, wrong, of } = await examine(stage());
  expect({ exitCode, wrong }).toStrictEqual({ exitCode: 1, wrong: [name] });
  expect(of(name)).toMatchObject({ detail: expect.stringMatching(detail), advice: expect.stringMatching(/set-up/) });
  // The set-up does not repair these: a hidden index stays hidden, and a TTL index keeps its time.
  for (const collection of ['outbox', conflictCollection])
    await database.db
      .collection(collection)
      .dropIndexes()
      .catch(() => undefined);
});

it('compares the retention of processed events with the setting', async () => {
  const { wrong, of } = await examine({ ...stage(), PROCESSED_RETENTION_DAYS: '7' });
  expect(wrong).toStrictEqual(['MongoDB: purge']);
  expect(of('MongoDB: purge')?.detail).toMatch(/PROCESSED_RETENTION_DAYS is 7/);
});

it('reports an unreachable server within seconds, without its secret, and skips dependent checks', async () => {
  const password = randomBytes(12).toString('hex');
  const began = performance.now();
  const { exitCode, wrong, output, of } = await examine({
    ...stage(),
    MONGODB_URI: `mongodb://somebody:${password}@127.0.0.1:1/?replicaSet=rs0`,
    NEO4J_URI: 'bolt://127.0.0.1:1',
    NEO4J_PASSWORD: password,
  });
  expect(performance.now() - began).toBeLessThan(30_000);
  expect({ exitCode, wrong }).toStrictEqual({ exitCode: 1, wrong: ['MongoDB: reachable', 'Neo4j: reachable'] });
  expect(output).not.toContain(password);
  expect(of('Stage: dead events')).toMatchObject({ outcome: 'skipped', blockedBy: 'MongoDB: reachable' });
  expect(of('Queue and bus: redrive policy')).toMatchObject({ outcome: 'ok' });
});

it('names missing or wrong settings, and exits 2 if nothing else can be checked', async () => {
  const password = randomBytes(12).toString('hex');
  const { exitCode, wrong, output, of } = await examine({
    MONGODB_URI: `mongodb://somebody:${password}@db.example.com/`,
    WORKER_CONSUMERS: 'many',
  });
  expect({ exitCode, wrong }).toStrictEqual({ exitCode: 2, wrong: ['Configuration: settings'] });
  expect(of('Configuration: settings')?.detail).toMatch(
    /NEO4J_URI is not set; MONGODB_URI must use TLS.*WORKER_CONSUMERS/,
  );
  expect(output).not.toContain(password);
});

it('a missing setting of one server does not prevent the checks of the other', async () => {
  const { NEO4J_URI: _, ...others } = stage();
  const { exitCode, wrong, of } = await examine(others);
  expect({ exitCode, wrong }).toStrictEqual({ exitCode: 1, wrong: ['Configuration: settings'] });
  expect(of('MongoDB: validator')).toMatchObject({ outcome: 'ok' });
  expect(of('Neo4j: constraints')).toMatchObject({ outcome: 'skipped' });
});

it('names readable and unreadable references, without their values', async () => {
  const { wrong, output, of } = await examine({ ...stage(), NEO4J_PASSWORD: 'ssm:/outgraph/doctor/not-there' });
  expect(wrong).toStrictEqual(['Configuration: references']);
  expect(of('Configuration: references')?.detail).toMatch(
    /NEO4J_PASSWORD: The parameter \/outgraph\/doctor\/not-there/,
  );
  const readable = await examine({ ...stage(), MONGODB_URI: `ssm:/${service}/${deployedStage}/sweep/mongodb-uri` });
  expect(readable.of('Configuration: references')).toMatchObject({ outcome: 'ok', detail: 'readable: MONGODB_URI' });
  expect(output + readable.output).not.toContain(stack.mongodbUri);
});

it('reports a catalog that cannot be loaded, and still runs the other checks', async () => {
  const { exitCode, wrong, of } = await examine(stage(), ['--catalog', 'test/no-catalog.ts']);
  expect({ exitCode, wrong }).toStrictEqual({ exitCode: 1, wrong: ['Configuration: catalog'] });
  expect(of('Neo4j: constraints')).toMatchObject({ outcome: 'skipped' });
  expect(of('Neo4j: indexes')).toMatchObject({ outcome: 'ok' });
});

it('a queue created by hand lacks redrive policy, bus permission and a long enough visibility time-out', async () => {
  const settings = { ...stage(), QUEUE_URL: await createQueue({ VisibilityTimeout: '30' }) };
  const { exitCode, wrong, of } = await examine(settings);
  const expected = ['redrive policy', 'visibility time-out', 'rule of the bus', 'policy of the queue'];
  expect(exitCode).toBe(1);
  expect(wrong).toStrictEqual(expected.map((name) => `Queue and bus: ${name}`));
  expect(of('Queue and bus: retention')).toMatchObject({ outcome: 'warning' });
  const withoutBus = await examine({ ...database.settings, ...aws, QUEUE_URL: settings.QUEUE_URL });
  expect(withoutBus.wrong).toContain('Queue and bus: policy of the queue');
});

it('warns about dead letters', async () => {
  const deadLetters = await createQueue();
  await sqs.send(new SendMessageCommand({ QueueUrl: deadLetters, MessageBody: 'an unread message' }));
  const { of, output } = await examine({ ...stage(), DEAD_LETTER_QUEUE_URL: deadLetters });
  expect(of('Queue and bus: dead letters')).toMatchObject({
    outcome: 'warning',
    detail: expect.stringMatching(/about 1 /),
  });
  expect(of('Queue and bus: redrive policy')).toMatchObject({ outcome: 'wrong' });
  expect(output).not.toContain('an unread message');
});

it('reports missing queues and buses', async () => {
  const { wrong } = await examine({
    ...stage(),
    DEAD_LETTER_QUEUE_URL: `${stack.queueUrl}-none`,
    EVENT_BUS_NAME: 'no-bus',
  });
  expect(wrong).toStrictEqual(['Queue and bus: dead-letter queue', 'Queue and bus: rule of the bus']);
});

it('warns about dead events and refers to their list', async () => {
  const event = upsertEvent({ nodes: [] });
  await database.db.collection('outbox').insertOne(event);
  const dead = { eventId: event._id.toHexString(), code: 'payload-invalid', message: 'for a test' } as const;
  await markDead(database.db.collection('outbox'), [dead]);
  const { exitCode, of } = await examine(stage());
  expect(exitCode).toBe(0);
  expect(of('Stage: dead events')).toMatchObject({
    outcome: 'warning',
    detail: '1',
    advice: expect.stringMatching(/outgraph dead list/),
  });
  await database.db.collection('outbox').deleteMany({});
});
