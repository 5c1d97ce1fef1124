/** A resume token that the oplog no longer holds, on a MongoDB whose oplog is so small that it really rolls over. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installMongod, type MongodbServers, startMongodb } from '../../../infra/local/mongod.ts';
import { printStep } from '../../../infra/local/progress.ts';
import { waitUntil } from '../../../infra/local/wait-until.ts';
import { publisherSettings, readSettings } from '../../../lib/config.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { setUpOutbox } from '../../../lib/mongodb/set-up-outbox.ts';
import { joinPublisher } from '../../../lib/wiring/publisher.ts';
import { outboxEvent } from '../../outbox-event.ts';

const database = 'outgraph';
/** One megabyte; what is older than the last checkpoint is cut off, and there is one every second. */
const smallOplog = ['--oplogSize', '1', '--syncdelay', '1'];

let folder: string;
let mongodb: MongodbServers;
let client: MongoClient;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-oplog-'));
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startMongodb(binary, folder, 1, smallOplog);
  client = new MongoClient(mongodb.uri);
  await setUpOutbox(client.db(database), { processedRetentionSeconds: 3_600 });
});
afterAll(async () => {
  await client?.close();
  await mongodb?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Writes elsewhere until the oldest entry of the oplog is younger than now. */
async function rollOplogOver(): Promise<void> {
  const filler = client.db('elsewhere').collection('filler');
  const oplog = client.db('local').collection('oplog.rs');
  const [newest] = await oplog.find().sort({ $natural: -1 }).limit(1).toArray();
  await waitUntil(
    async () => {
      await filler.insertOne({ bytes: randomBytes(256 * 1024) });
      const [oldest] = await oplog.find().sort({ $natural: 1 }).limit(1).toArray();
      return oldest?.ts.greaterThan(newest?.ts) ? true : undefined;
    },
    { timeoutSeconds: 100, pollMillis: 5, what: 'the oplog to roll over' },
  );
}

it('makes the publisher send all that is pending, say so once, and go on from there', async () => {
  const outbox = client.db(database).collection(outboxCollection);
  const write = async (count: number) => {
    const events = Array.from({ length: count }, () => outboxEvent());
    await outbox.insertMany(events);
    return events.map(({ _id }) => _id.toHexString());
  };
  const sent: string[] = [];
  const said: (string | null)[] = [];
  const publisher = joinPublisher(
    readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), {
      MONGODB_URI: mongodb.uri,
      MONGODB_DATABASE: database,
    }),
    {
      send: async (pointers) => {
        sent.push(...pointers.map(({ eventId }) => eventId));
        return [];
      },
      close: () => undefined,
      checkpointId: 'test',
      durable: true,
    },
  );
  /** Publishes what there is; its clock passes with each look, so that it leaves a checkpoint behind and ends. */
  const publish = () => {
    const log = { publishingPending: (code: string | null) => void said.push(code), leftToSweep: () => undefined };
    let remaining = 40_000;
    return publisher.publish(() => {
      remaining -= 3_000;
      return remaining;
    }, log);
  };
  try {
    const before = await write(2);
    expect(await publish()).toMatchObject({ published: 2, historyLost: 0 });
    await outbox.updateMany({}, { $set: { status: 'processed', processedAt: new Date() } });

    const unseen = await write(3);
    await rollOplogOver();
    expect(await publish()).toMatchObject({ published: 3, historyLost: 1 });
    expect(said).toStrictEqual([null, 'history-lost']);

    const after = await write(2);
    expect(await publish()).toMatchObject({ published: 2, historyLost: 0 });
    expect([...sent].sort()).toStrictEqual([...before, ...unseen, ...after].sort());
  } finally {
    await publisher.close();
  }
});
