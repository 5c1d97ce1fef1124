/**
 * A writer whose connection ends in the middle of a transaction, just after its pool was cleared:
 * the effect of a killed primary, at one exact message.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { installMongod } from '../../../tools/local/mongod.ts';
import { printStep } from '../../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../../tools/local/restartable-mongodb.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { mongodbCommand } from '../../support/mongodb-messages.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

let folder: string;
let proxy: TcpProxy;
let mongodb: RestartableReplicaSet;
let client: MongoClient;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-writer-'));
  const addressOf = async (port: number) => {
    proxy = await TcpProxy.start(port);
    return `127.0.0.1:${proxy.port}`;
  };
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1, addressOf });
  client = new MongoClient(mongodb.uri, { minPoolSize: 2 });
  await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
});
afterAll(async () => {
  await client?.close();
  await mongodb?.stop();
  await proxy?.close();
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['before the event was inserted', mongodbCommand('insert', outboxCollection), 'request'],
  ['after the event was inserted', mongodbCommand('insert', outboxCollection), 'reply'],
  ['before the commit', (bytes: Buffer) => bytes.includes('commitTransaction'), 'request'],
  ['after the commit, before its answer', (bytes: Buffer) => bytes.includes('commitTransaction'), 'reply'],
] as const)('writes its document and its event once if the connection ends %s', async (_, at, before) => {
  const _id = new ObjectId();
  const user_id = _id.toHexString();
  const cut = proxy.stopOnce({
    at,
    before,
    act: async (): Promise<'cut'> => {
      // First, another connection of the pool ends and the pool is cleared, so this connection is
      // stale when it ends.
      const cleared = once(client, 'connectionPoolCleared');
      const other = proxy.stopOnce({ at: (bytes) => bytes.includes('dbStats'), before: 'request', act: () => 'cut' });
      await Promise.allSettled([client.db('outgraph').command({ dbStats: 1 }), other]);
      await cleared;
      return 'cut';
    },
  });
  await trackCollection(client, client.db('outgraph'), memoryUser).insertOne({ _id, user_id });
  await cut;
  const db = client.db('outgraph');
  expect(await db.collection(memoryUser.collection).countDocuments({ _id })).toBe(1);
  expect(await db.collection(outboxCollection).countDocuments({ aggregateId: user_id })).toBe(1);
});
