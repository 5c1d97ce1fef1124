/** Commands and writer on a MongoDB server that is not a replica set. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { connectMongodb, pingMongodb } from '../../../lib/outbox/mongodb-connect.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { fillsTimestamps } from '../../../lib/set-up/mongodb-timestamps.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';
import { type StandaloneMongodb, startStandaloneMongodb } from '../../support/standalone-mongodb.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let standalone: StandaloneMongodb;
let uri: string;
let settings: Record<string, string>;
/** A client whose first operation was sent before the server was up. */
let early: { readonly client: MongoClient; readonly failure: unknown };
beforeAll(async () => {
  standalone = await startStandaloneMongodb(async (address) => {
    const client = connectMongodb(address, { selectionMillis: 1_000 });
    early = { client, failure: await pingMongodb(client.db('admin')).catch((error: unknown) => error) };
  });
  ({ uri } = standalone);
  settings = { MONGODB_URI: uri, NEO4J_URI: 'bolt://127.0.0.1:1' };
});
afterAll(async () => {
  await early?.client.close();
  await standalone?.stop();
});

it('a client whose first operation failed connects once the server is up', async () => {
  expect(early.failure).toMatchObject({ code: 'mongodb-unavailable' });
  await pingMongodb(early.client.db('admin'));
  await early.client.close();
  await expect(pingMongodb(early.client.db('admin'))).rejects.toThrow();
});

const reason = expect.stringContaining('a standalone server has neither transactions nor change streams');

it('set-up refuses a standalone server, says why, and creates nothing', async () => {
  expect(await startOutgraph(['set-up'], settings).ended).toMatchObject({ exitCode: 1, stderr: reason });
  const client = new MongoClient(uri);
  expect(await client.db('outgraph').listCollections().toArray()).toStrictEqual([]);
  await client.close();
});

it('a worker on a standalone server says the same, with --set-up too, and exits', async () => {
  for (const args of [[], ['--set-up'], ['--once']])
    expect(await startOutgraph(['worker', ...args], settings).ended).toMatchObject({ exitCode: 1, stderr: reason });
});

it('a server without transactions does not fill in timestamps', async () => {
  const client = new MongoClient(uri);
  await expect(fillsTimestamps(client.db('outgraph').collection('things'))).resolves.toBe(false);
  await client.close();
});

it('a worker on a standalone server set up by an older version says the same, and exits', async () => {
  const client = new MongoClient(uri);
  await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
  await client.close();
  const run = await startOutgraph(['worker', '--port', '0'], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stderr: reason });
});

it('a tracked write reports the standalone server, and writes nothing', async () => {
  const client = new MongoClient(uri);
  const db = client.db('outgraph');
  const things = trackCollection<unknown, { nodes: []; relationships: [] }>(client, db, graph);
  const write = things.insertOne({ nodes: [], relationships: [] });
  await expect(write).rejects.toMatchObject({
    code: 'no-transaction',
    message: expect.stringContaining('standalone server, which has no transactions'),
  });
  expect(await db.collection('graphs').countDocuments()).toBe(0);
  await client.close();
});
