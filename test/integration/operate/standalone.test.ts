/** The commands on a MongoDB that is no replica set. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { MongoMemoryServer } from 'mongodb-memory-server-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { installMongod } from '../../../infra/local/mongod.ts';
import { printStep } from '../../../infra/local/progress.ts';
import { setUpOutbox } from '../../../lib/mongodb/set-up-outbox.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let folder: string;
let mongodb: MongoMemoryServer;
let settings: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-standalone-'));
  const systemBinary = await installMongod(printStep, new AbortController().signal);
  mongodb = await MongoMemoryServer.create({
    binary: { systemBinary, version: '6.0.5', checkMD5: false },
    instance: { dbPath: folder, storageEngine: 'wiredTiger', launchTimeout: 120_000 },
  });
  settings = { MONGODB_URI: mongodb.getUri(), NEO4J_URI: 'bolt://127.0.0.1:1' };
});
afterAll(async () => {
  await mongodb?.stop({ doCleanup: false });
  await rm(folder, { recursive: true, force: true });
});

const reason = expect.stringContaining('a standalone server has neither transactions nor change streams');

it('set-up refuses a standalone server, says why, and makes nothing', async () => {
  expect(await startOutgraph(['set-up'], settings).ended).toMatchObject({ exitCode: 1, stderr: reason });
  const client = new MongoClient(mongodb.getUri());
  expect(await client.db('outgraph').listCollections().toArray()).toStrictEqual([]);
  await client.close();
});

it('a worker on a standalone server that an older version has set up says the same, and ends', async () => {
  const client = new MongoClient(mongodb.getUri());
  await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
  await client.close();
  const run = await startOutgraph(['worker', '--health-port', '0'], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stderr: reason });
});
