/**
 * A tail that cannot continue, on the test's own MongoDB. Its oplog is so small that it rolls over,
 * and its fail points produce the cases that cannot be caused otherwise.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { installMongod } from '../../../tools/local/mongod.ts';
import { printStep } from '../../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../../tools/local/restartable-mongodb.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { type TestPublisher, testPublisher } from '../../support/test-publisher.ts';

/**
 * One megabyte of oplog. MongoDB truncates what is older than the last checkpoint, which it makes
 * every second.
 */
const mongodArgs = ['--oplogSize', '1', '--syncdelay', '1', '--setParameter', 'enableTestCommands=1'];

let folder: string;
let mongodb: RestartableReplicaSet;
let client: MongoClient;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-oplog-'));
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1, extraArgs: mongodArgs });
  client = new MongoClient(mongodb.uri);
});
afterAll(async () => {
  await client?.close();
  await mongodb?.stop();
  await rm(folder, { recursive: true, force: true });
});

let database: string;
let publisher: TestPublisher;
beforeEach(async () => {
  database = `outgraph_${randomBytes(4).toString('hex')}`;
  await setUpOutbox(client.db(database), { processedRetentionSeconds: 3_600 });
  publisher = testPublisher({ mongodbUri: mongodb.uri, database });
});
afterEach(() => publisher.close());

const outbox = () => client.db(database).collection(outboxCollection);

async function write(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => outboxEvent());
  await outbox().insertMany(events);
  return events.map(({ _id }) => _id.toHexString());
}

const untilSent = (ids: readonly string[], what: string) =>
  waitUntil(async () => (ids.every((id) => publisher.sent.includes(id)) ? true : undefined), {
    timeoutSeconds: 30,
    pollMillis: 5,
    what,
  });

/**
 * Publishes the pending events. Its remaining time decreases with each look, so it saves a
 * checkpoint and ends.
 */
function publishForAWhile() {
  let remaining = 60_000;
  return publisher.publish(() => {
    remaining -= 5_000;
    return remaining;
  });
}

/**
 * Writes to another collection until the oldest entry of the oplog is newer than its newest entry
 * was at the start.
 */
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

it('if the oplog rolled over, the publisher sends all pending events, reports it once, and continues', async () => {
  const before = await write(2);
  expect(await publishForAWhile()).toMatchObject({ published: 2, historyLost: 0 });
  await outbox().updateMany({}, { $set: { status: 'processed', processedAt: new Date() } });

  const unseen = await write(3);
  await rollOplogOver();
  expect(await publishForAWhile()).toMatchObject({ published: 3, historyLost: 1 });
  expect(publisher.said).toStrictEqual([null, 'history-lost']);

  const after = await write(2);
  expect(await publishForAWhile()).toMatchObject({ published: 2, historyLost: 0 });
  expect([...publisher.sent].sort()).toStrictEqual([...before, ...unseen, ...after].sort());
});

it('tails a dropped outbox again after the set-up, and sends what was written in between', async () => {
  const publishing = publisher.publishUntilTimeIsUp();
  await untilSent(await write(2), 'the first events to be sent');
  await outbox().drop();
  await setUpOutbox(client.db(database), { processedRetentionSeconds: 3_600 });
  await untilSent(await write(2), 'the events of the new outbox to be sent');
  publisher.stop();
  expect(await publishing).toMatchObject({ outcome: 'handed-over' });
  expect(publisher.said).toContain('history-lost');
});

const codes = [
  [10334, 'change-event-too-large', { historyLost: 0, steppedPast: 1 }],
  [286, 'history-lost', { historyLost: 1, steppedPast: 0 }],
  [280, 'history-lost', { historyLost: 1, steppedPast: 0 }],
  [260, 'history-lost', { historyLost: 1, steppedPast: 0 }],
] as const;
const cases = codes.flatMap((one) => (['aggregate', 'getMore'] as const).map((command) => [command, ...one] as const));

it.each(cases)('a response to %s with code %d is a %s: the publisher continues and loses nothing', async (...given) => {
  const [command, errorCode, reported, counts] = given;
  await write(2);
  await publishForAWhile();
  const unseen = await write(3);
  await client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: { times: 1 },
    data: { failCommands: [command], errorCode, appName: 'outgraph' },
  });
  const publishing = publisher.publish();
  await waitUntil(async () => (publisher.said.includes(reported) ? true : undefined), {
    timeoutSeconds: 30,
    pollMillis: 5,
    what: 'the publisher to notice',
  });
  await untilSent([...unseen, ...(await write(2))], 'every event to be sent');
  publisher.stop();
  expect(await publishing).toMatchObject({ outcome: 'handed-over', ...counts });
  expect(publisher.said).toStrictEqual([null, reported]);
});
