/** The set-up's function as CloudFormation calls it, on real servers: each request is answered. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { contractVersion } from '../../../lib/contract/outbox-event.ts';
import { identityCollection } from '../../../lib/outbox/collections.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { readSettings, setUpSettings } from '../../../lib/runtime/settings.ts';
import { createSetUpHandler } from '../../../lib/set-up/handler.ts';
import { setUpVersion } from '../../../lib/set-up/mongodb-version.ts';
import { setUpOnce } from '../../../lib/set-up/wiring.ts';
import { captureLog } from '../../support/captured-log.ts';
import { startSilentServer } from '../../support/silent-server.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

interface Answer {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Record<string, unknown>;
}

let database: TestDatabase;
let cloudFormation: Server;
let answers: Answer[] = [];
const log = captureLog();
beforeAll(async () => {
  database = await createTestDatabase();
  cloudFormation = createServer(async (request, response) => {
    const text = (await request.toArray()).join('');
    answers.push({ method: request.method, contentType: request.headers['content-type'], body: JSON.parse(text) });
    response.end();
  });
  cloudFormation.listen(0, '127.0.0.1');
  await once(cloudFormation, 'listening');
});
afterEach(() => {
  vi.unstubAllEnvs();
  answers = [];
});
afterAll(async () => {
  cloudFormation.close();
  await database.drop();
});

const responseUrl = () => `http://127.0.0.1:${(cloudFormation.address() as AddressInfo).port}`;

interface Given {
  readonly environment?: Readonly<Record<string, string>>;
  readonly remainingMillis?: number;
}

const stackId = (name: string, { region = 'us-east-1', id = 'first' } = {}) =>
  `arn:aws:cloudformation:${region}:123456789012:stack/${name}/${id}`;

/** Calls a new function, as after a cold start, and returns its only answer. */
async function request(event: object, { environment = {}, remainingMillis = 300_000 }: Given = {}): Promise<Answer> {
  const all = { ...database.settings, POWERTOOLS_DEV: 'true', ...environment };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const ids = {
    StackId: stackId('outgraph-prod'),
    RequestId: 'request',
    LogicalResourceId: 'SetUpRun',
    ResponseURL: responseUrl(),
  };
  const whole = { ...ids, ...event } as CloudFormationCustomResourceEvent;
  const context = { getRemainingTimeInMillis: () => remainingMillis } as Context;
  await (createSetUpHandler(createCatalog([])) as (event: unknown, context: Context) => Promise<void>)(whole, context);
  expect(answers).toHaveLength(1);
  return answers[0] as Answer;
}

const properties = (deployment: number) => ({ ServiceToken: 'function', Deployment: String(deployment) });
const create = { RequestType: 'Create', ResourceProperties: properties(1_000) };
const update = (from: number, to: number) => {
  return { RequestType: 'Update', ResourceProperties: properties(to), OldResourceProperties: properties(from) };
};

/** Nothing listens there. */
const away = { MONGODB_URI: 'mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=500' };

const version = () => database.db.collection<{ _id: string }>(identityCollection).findOne({ _id: 'set-up' });

it('sets up and answers SUCCESS, with the empty content type that the signed URL expects', async () => {
  const answer = await request(create);
  expect(answer).toMatchObject({ method: 'PUT', contentType: '' });
  expect(answer.body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'outgraph-set-up', RequestId: 'request' });
  expect(await version()).toMatchObject({ version: setUpVersion, contract: contractVersion });
});

it.each([
  ['a setting that is missing', { MONGODB_URI: '' }, 'MONGODB_URI'],
  ['a setting that is wrong', { PROCESSED_RETENTION_DAYS: 'a week' }, 'PROCESSED_RETENTION_DAYS'],
  ['a database that is away', away, 'mongodb-unavailable'],
])('answers FAILED and names %s', async (_, environment, named) => {
  const { body } = await request(update(1_000, 2_000), { environment });
  expect(body).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(named) });
});

it('answers FAILED while there is time for it if a server is silent', async () => {
  const silent = await startSilentServer();
  try {
    const environment = { MONGODB_URI: `mongodb://${silent.address}/?directConnection=true` };
    const { body } = await request(create, { environment, remainingMillis: 15_500 });
    expect(body).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('time-up') });
  } finally {
    silent.close();
  }
});

it('answers a removal of the stack whatever the settings are', async () => {
  const removal = { RequestType: 'Delete', ResourceProperties: properties(1_000) };
  expect((await request(removal, { environment: { MONGODB_URI: '' } })).body).toMatchObject({ Status: 'SUCCESS' });
});

it('answers SUCCESS to a rollback without asking the databases, and logs it', async () => {
  expect((await request(update(2_000, 1_000), { environment: away })).body).toMatchObject({ Status: 'SUCCESS' });
  expect(log.lines.join('\n')).toContain('set-up not run');
});

it('answers an update that comes without the properties from before, as from LocalStack', async () => {
  const { OldResourceProperties: _, ...without } = update(1_000, 2_000);
  expect((await request(without)).body).toMatchObject({ Status: 'SUCCESS' });
});

it.each([
  ['another stage', stackId('outgraph-dev')],
  ['another region', stackId('outgraph-prod', { region: 'eu-central-1' })],
])('refuses the database of another stack: %s', async (_, StackId) => {
  await request(create);
  answers = [];
  const { body } = await request({ ...create, StackId });
  expect(body).toMatchObject({ Status: 'FAILED' });
  expect(body.Reason).toContain(
    'belongs to the stack arn:aws:cloudformation:us-east-1:123456789012:stack/outgraph-prod',
  );
  expect(body.Reason).toContain('set-up --adopt');
});

it('sets up for the same stack after it was removed and deployed again', async () => {
  await request(create);
  answers = [];
  const again = { ...create, StackId: stackId('outgraph-prod', { id: 'second' }) };
  expect((await request(again)).body).toMatchObject({ Status: 'SUCCESS' });
});

it('sets up for another stack after set-up --adopt, and then refuses the first one', async () => {
  const own = await createTestDatabase();
  const deploy = async (name: string) => {
    answers = [];
    return (await request({ ...create, StackId: stackId(name) }, { environment: own.settings })).body.Status;
  };
  try {
    expect(await deploy('outgraph-prod')).toBe('SUCCESS');
    await setUpOnce(readSettings(setUpSettings, own.settings), createCatalog([]), { adopt: true });
    expect(await deploy('outgraph-moved')).toBe('SUCCESS');
    expect(await deploy('outgraph-prod')).toBe('FAILED');
  } finally {
    await own.drop();
  }
});

it('leaves the set-up of a newer version as it is, with its validator and its declared types', async () => {
  const identity = database.db.collection<{ _id: string }>(identityCollection);
  const newer = setUpVersion + 1;
  await identity.updateOne({ _id: 'set-up' }, { $set: { version: newer } }, { upsert: true });
  await identity.updateOne({ _id: 'catalog' }, { $set: { aggregateTypes: ['of-the-newer-one'] } }, { upsert: true });
  const validator = { status: { $exists: true } };
  await database.db.command({ collMod: 'outbox', validator });
  expect((await request(update(2_000, 3_000))).body).toMatchObject({ Status: 'SUCCESS' });
  const [outbox] = await database.db.listCollections({ name: 'outbox' }).toArray();
  expect(outbox).toMatchObject({ options: { validator } });
  expect(await identity.findOne({ _id: 'catalog' })).toMatchObject({ aggregateTypes: ['of-the-newer-one'] });
  expect(await version()).toMatchObject({ version: newer });
  expect(log.lines.join('\n')).toContain('set-up left as it is');
});
