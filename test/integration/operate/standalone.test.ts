/** The commands on a MongoDB that is no replica set. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type BackgroundProcess, dismissWatchdog, startInBackground } from '../../../infra/local/children.ts';
import { freePort } from '../../../infra/local/free-port.ts';
import { installMongod } from '../../../infra/local/mongod.ts';
import { printStep } from '../../../infra/local/progress.ts';
import { waitForStart } from '../../../infra/local/wait-for-start.ts';
import { connectMongodb, pingMongodb } from '../../../lib/mongodb/connect.ts';
import { setUpOutbox } from '../../../lib/mongodb/set-up-outbox.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let folder: string;
let mongodb: BackgroundProcess;
let uri: string;
let settings: Record<string, string>;
/** Of a client whose first operation came before the server was up. */
let early: { readonly client: MongoClient; readonly failure: unknown };
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-standalone-'));
  const command = await installMongod(printStep, new AbortController().signal);
  const port = String(await freePort());
  uri = `mongodb://127.0.0.1:${port}`;
  const client = connectMongodb(uri, { selectionMillis: 1_000 });
  early = { client, failure: await pingMongodb(client.db('admin')).catch((error: unknown) => error) };
  const logFile = path.join(folder, 'mongod.log');
  const args = ['--dbpath', folder, '--port', port, '--bind_ip', '127.0.0.1', '--nounixsocket'];
  mongodb = startInBackground({ name: 'mongod', command, args, cwd: folder, logFile });
  const ping = async () => {
    const each = connectMongodb(uri, { selectionMillis: 1_000 });
    await pingMongodb(each.db('admin')).finally(() => each.close());
    return true;
  };
  await waitForStart(ping, { process: mongodb, logFile, pollMillis: 50 });
  settings = { MONGODB_URI: uri, NEO4J_URI: 'bolt://127.0.0.1:1' };
});
afterAll(async () => {
  await early?.client.close();
  await mongodb?.kill();
  dismissWatchdog();
  await rm(folder, { recursive: true, force: true });
});

it('a client whose first operation came too early connects once the server is up', async () => {
  expect(early.failure).toMatchObject({ code: 'mongodb-unavailable' });
  await pingMongodb(early.client.db('admin'));
  await early.client.close();
  await expect(pingMongodb(early.client.db('admin'))).rejects.toThrow();
});

const reason = expect.stringContaining('a standalone server has neither transactions nor change streams');

it('set-up refuses a standalone server, says why, and makes nothing', async () => {
  expect(await startOutgraph(['set-up'], settings).ended).toMatchObject({ exitCode: 1, stderr: reason });
  const client = new MongoClient(uri);
  expect(await client.db('outgraph').listCollections().toArray()).toStrictEqual([]);
  await client.close();
});

it('a worker on a standalone server that an older version has set up says the same, and ends', async () => {
  const client = new MongoClient(uri);
  await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
  await client.close();
  const run = await startOutgraph(['worker', '--health-port', '0'], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stderr: reason });
});
