/**
 * The whole path on databases with access control, each part with its own user and role, and what
 * happens if a database refuses one of them.
 */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyMongodbRoles } from '../../../infra/permissions/apply-mongodb-roles.ts';
import {
  administer,
  type Neo4jPart,
  neo4jUsers,
  userStatements,
} from '../../../infra/permissions/apply-neo4j-roles.ts';
import { joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { connectNeo4j } from '../../../lib/graph/neo4j-connect.ts';
import {
  consumerSettings,
  readSettings,
  setUpSettings,
  sweepSettings,
  workerSettings,
} from '../../../lib/runtime/settings.ts';
import { type Part, parts, roleName } from '../../../lib/set-up/mongodb-roles.ts';
import { setUpOnce } from '../../../lib/set-up/wiring.ts';
import { joinSweep } from '../../../lib/sweep/wiring.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';
import { silentLog } from '../../support/silent-log.ts';
import { testPublisher } from '../../support/test-publisher.ts';
import {
  randomPassword,
  type SecuredMongodb,
  type SecuredNeo4j,
  startSecuredMongodb,
  startSecuredNeo4j,
} from './secured-servers.ts';

const database = 'shop';

/** As on Aura, which has no database `neo4j`. */
const homeDatabase = 'a1b2c3d4';
const passwords = Object.fromEntries(parts.map((part) => [part, randomPassword()])) as Record<Part, string>;

let mongodb: SecuredMongodb;
let neo4j: SecuredNeo4j;
beforeAll(async () => {
  [mongodb, neo4j] = await Promise.all([startSecuredMongodb(), startSecuredNeo4j(homeDatabase)]);
  await applyMongodbRoles(mongodb.admin, { database, writerCollections: [memoryEvent.collection], passwords });
  const driver = connectNeo4j(neo4j.address);
  // Neo4j Community has users but no roles.
  for (const part of Object.keys(neo4jUsers) as Neo4jPart[])
    await administer(driver, userStatements(part, passwords[part]).slice(0, -1));
  await driver.close();
});
afterAll(() => Promise.all([mongodb.stop(), neo4j.stop()]));

const mongodbUri = (part: Part, password = passwords[part]) => mongodb.uriOf(roleName(part, database), password);
const environment = (part: Neo4jPart, changed: object = {}) => ({
  MONGODB_URI: mongodbUri(part),
  MONGODB_DATABASE: database,
  NEO4J_URI: neo4j.address.uri,
  NEO4J_USERNAME: neo4jUsers[part].user,
  NEO4J_PASSWORD: passwords[part],
  NEO4J_DATABASE: '',
  ...changed,
});
const applySetUp = (retentionSeconds: number) =>
  setUpOnce(
    readSettings(setUpSettings, environment('set-up', { PROCESSED_RETENTION_DAYS: String(retentionSeconds / 86_400) })),
    catalog,
  );

const outbox = () => mongodb.admin.db(database).collection(outboxCollection);
const statusOf = async (_id: ObjectId) => (await outbox().findOne({ _id }))?.status ?? 'gone';
const waitFor = <Value>(what: string, look: () => Promise<Value | undefined>) =>
  waitUntil(look, { timeoutSeconds: 60, pollMillis: 50, what });
const graph = async (statement: string, parameters: object = {}) => {
  const driver = connectNeo4j(neo4j.address);
  const { records } = await driver.executeQuery(statement, parameters).finally(() => driver.close());
  return records.map((record) => record.toObject());
};

const messagesOf = (eventIds: readonly string[], receiveCount = 1) =>
  eventIds.map((eventId, index) => ({
    messageId: `m${index}`,
    body: JSON.stringify({ eventId, aggregateType: 'graph', aggregateId: 'x' }),
    receiveCount,
    receiptHandle: `r${index}`,
  }));

/** Consumes one batch with a new consumer. */
async function consume(eventIds: readonly string[], { changed = {}, receiveCount = 1 } = {}) {
  const settings = readSettings(consumerSettings, environment('consumer', changed));
  const consumer = joinConsumer(settings, catalog, noQueue, { retrySeconds: 0 });
  try {
    return await consumer.consume(messagesOf(eventIds, receiveCount), () => 60_000, silentLog);
  } finally {
    await consumer.close();
  }
}

/** Runs one pass of a new sweep. The pointers that it sends go to the consumer. */
async function sweep() {
  const sent: Pointer[] = [];
  const settings = readSettings(
    sweepSettings.omit({ QUEUE_URL: true }),
    environment('sweep', { SWEEP_STALE_SECONDS: '1' }),
  );
  const sweeper = joinSweep(settings, {
    sendToQueue: async (packs) => {
      sent.push(...packs.flat());
      return [];
    },
    countBacklog: async () => 0,
    pointersPerEntry: 1,
    close: () => undefined,
  });
  try {
    const report = await sweeper.sweep(() => 60_000);
    await consume(sent.map(({ eventId }) => eventId));
    return report;
  } finally {
    await sweeper.close();
  }
}

describe.sequential('the whole path, each part with its own user', () => {
  it('is set up', async () => {
    await applySetUp(3_600);
    expect((await outbox().indexes()).map(({ name }) => name)).toContain('outgraph_purge');
  });

  it('goes from a tracked collection to the graph, through publisher and consumer', async () => {
    const publisher = testPublisher({ mongodbUri: mongodbUri('publisher'), database });
    const published = publisher.publish();
    const client = new MongoClient(mongodbUri('writer'));
    const events = trackCollection(client, client.db(database), memoryEvent);
    const _id = new ObjectId();
    await events.insertOne({ _id, user_id: 'ada', date: '12-10' });
    await events.updateOne({ _id }, { $set: { date: '12-11' } });
    const ghost = new ObjectId();
    await events.insertOne({ _id: ghost, user_id: 'bob', date: '01-01' });
    await events.deleteOne({ _id: ghost });
    // An event that the writer library would refuse.
    await client
      .db(database)
      .collection(outboxCollection)
      .insertOne(upsertEvent({ nodes: [{ label: 'no good', key: {} }] }));
    await client.close();
    await waitFor('every event to be published', async () => publisher.sent.length === 5 || undefined);
    publisher.stop();
    await published;
    await publisher.close();
    expect(await consume(publisher.sent)).toMatchObject({ failedMessageIds: [], dead: 1 });
    expect(await outbox().countDocuments({ status: 'processed' })).toBe(4);
    const found = await graph('MATCH (u:User)-[:HAS_EVENT]->(d:Date) RETURN u.user_id AS user, d.date AS date');
    expect(found).toStrictEqual([{ user: 'ada', date: '12-11' }]);
  });

  it('is swept: canary, stale events, measures, tombstones', async () => {
    await graph(
      'MATCH (a:OutgraphAggregate) WHERE a.deletedAt IS NOT NULL SET a.deletedAt = a.deletedAt - duration({days: 31})',
    );
    const { insertedId } = await outbox().insertOne(outboxEvent());
    const first = await sweep();
    expect(first).toMatchObject({ failures: [], dead: 1, tombstonesPurged: 1 });
    // Nothing tails the outbox now: the sweep itself sends the event and its canaries to the
    // consumer.
    await waitFor('the sweep to publish the event', async () => {
      await sweep();
      return (await statusOf(insertedId)) === 'processed' || undefined;
    });
    const last = await waitFor('a canary to come through', async () => (await sweep()).canaryLagMillis ?? undefined);
    expect(last).toBeGreaterThanOrEqual(0);
  });

  it('is set up again with another retention, and MongoDB purges accordingly', async () => {
    await applySetUp(1);
    await waitFor('processed events to be purged', async () => {
      return (await outbox().countDocuments({ status: 'processed' })) === 0 || undefined;
    });
    expect(await outbox().countDocuments({ status: 'dead' })).toBe(1);
    await applySetUp(3_600);
  });

  it('also works with a worker, with one user for everything', async () => {
    const failures: unknown[] = [];
    const worker = startWorker(
      readSettings(workerSettings, environment('worker', { WORKER_SWEEP_SECONDS: '1' })),
      catalog,
      {
        ...silentLog,
        failed: (_part, error) => failures.push(error),
      },
    );
    const { insertedId } = await outbox().insertOne(upsertEvent({ nodes: [{ label: 'Worked', key: { id: 'w' } }] }));
    await waitFor('the worker to apply it', async () => (await statusOf(insertedId)) === 'processed' || undefined);
    await waitFor('its sweep to write a canary', async () => {
      return (
        (await mongodb.admin
          .db(database)
          .collection('outboxCheckpoints')
          .findOne({ eventId: { $exists: true } })) ?? undefined
      );
    });
    await worker.stop();
    expect(failures).toStrictEqual([]);
    expect(await graph('MATCH (n:Worked) RETURN n.id AS id')).toStrictEqual([{ id: 'w' }]);
  });
});

describe.sequential('a refused batch:', () => {
  const add = async () => (await outbox().insertOne(outboxEvent())).insertedId;

  it.each([
    ['a wrong MongoDB password', () => ({ MONGODB_URI: mongodbUri('consumer', 'wrong') })],
    ['a wrong Neo4j password', () => ({ NEO4J_PASSWORD: 'wrong' })],
    ['a missing Neo4j password', () => ({ NEO4J_USERNAME: '', NEO4J_PASSWORD: '' })],
  ])('%s fails it with credentials-refused each time and leaves the event pending', async (_, changed) => {
    const id = await add();
    for (const receiveCount of [1, 2, 5, 100]) {
      const refused = consume([id.toHexString()], { changed: changed(), receiveCount });
      await expect(refused).rejects.toMatchObject({ code: 'credentials-refused', retryable: true });
    }
    expect(await statusOf(id)).toBe('pending');
    // After wrong passwords, Neo4j also refuses the right one for some seconds.
    await waitFor('the right password to be accepted', async () => {
      await consume([id.toHexString()]).catch(() => undefined);
      return (await statusOf(id)) === 'processed' || undefined;
    });
  });

  it('a missing right fails it with permission-denied and leaves the event pending', async () => {
    const id = await add();
    const admin = mongodb.admin.db('admin');
    await admin.command({ updateRole: roleName('consumer', database), privileges: [] });
    for (const receiveCount of [1, 2, 100]) {
      const denied = consume([id.toHexString()], { receiveCount });
      await expect(denied).rejects.toMatchObject({ code: 'permission-denied', retryable: true });
    }
    expect(await statusOf(id)).toBe('pending');
    await applyMongodbRoles(mongodb.admin, { database, writerCollections: [], passwords: {} });
    expect(await consume([id.toHexString()])).toMatchObject({ applied: 1, failedMessageIds: [] });
  });
});

const unlike = /^Neo4j at .* refuses the user or its password .*: NEO4J_USERNAME or NEO4J_PASSWORD is wrong\.\n$/;

// The wrong passwords of Neo4j come last: it then refuses the right one too, for some seconds.
it.each([
  ['a wrong MongoDB password', [], () => ({ MONGODB_URI: mongodbUri('worker', 'wrong') }), /^MongoDB refuses the user/],
  ["a writer's user", [], () => ({ MONGODB_URI: mongodbUri('writer') }), /^MongoDB denies this user .*Grant it/],
  ['--set-up and no right to it', ['--set-up'], () => ({}), /^MongoDB denies this user .*Grant it the part's role/],
  ['a wrong Neo4j password', [], () => ({ NEO4J_PASSWORD: 'wrong' }), unlike],
  ['a wrong Neo4j password and --set-up', ['--set-up'], () => ({ NEO4J_PASSWORD: 'wrong' }), unlike],
] as const)('a worker with %s ends with 1, and says what to do', async (_, args, changed, reason) => {
  const settings = environment(args.length > 0 && 'NEO4J_PASSWORD' in changed() ? 'set-up' : 'worker', changed());
  const run = await startOutgraph(['worker', '--port', '0', ...args], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(reason);
  expect(run.stderr.trimEnd().split('\n')).toHaveLength(1);
});
