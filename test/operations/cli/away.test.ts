/**
 * The commands that keep running, during an outage of MongoDB: their own replica set is stopped and
 * started again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { installMongod } from '../../../tools/local/mongod.ts';
import { printStep } from '../../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../../tools/local/restartable-mongodb.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { type RunningOutgraph, startOutgraph } from '../../support/run-outgraph.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let folder: string;
let mongodb: RestartableReplicaSet;
let client: MongoClient;
const running: RunningOutgraph[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-away-'));
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1 });
  client = new MongoClient(mongodb.uri);
  await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
});
afterAll(async () => {
  await Promise.all(running.map((command) => command.interrupt()));
  await client?.close();
  await mongodb?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A running command and the lines of its output. */
function start(...args: readonly string[]) {
  let stdout = '';
  const command = startOutgraph(args, { MONGODB_URI: mongodb.uri, MONGODB_DATABASE: 'outgraph' }, (text) => {
    stdout += text;
  });
  running.push(command);
  return { command, lines: () => stdout.split('\n').slice(0, -1) };
}

const until = (what: string, isSo: () => boolean) =>
  waitUntil(async () => (isSo() ? true : undefined), { timeoutSeconds: 90, pollMillis: 50, what });

it('tail and status --watch wait while MongoDB is unavailable, say so, and miss nothing', async () => {
  const write = (aggregateId: string) =>
    client
      .db('outgraph')
      .collection(outboxCollection)
      .insertOne(upsertEvent({ nodes: [] }, { aggregateId }));
  await write('before');
  const tail = start('tail', '--since', '60');
  const watch = start('status', '--watch', '0.2', '--json');
  await until('the first line of both', () => tail.lines().length > 0 && watch.lines().length > 0);
  const [member] = mongodb.members;
  await member?.stop();
  const failures = () => watch.lines().filter((line) => JSON.parse(line).outcome === 'failed').length;
  await until('two failed reports', () => failures() >= 2);
  // The driver waits for a short outage to end, and the tail notices none.
  await until('the outage in the tail', () => tail.command.stderrSoFar() !== '');
  await member?.start();
  await mongodb.untilHealthy();
  await write('after');
  await until('the event written after the outage', () => tail.lines().length > 1);
  await until('a successful report', () => JSON.parse(watch.lines().at(-1) ?? '{}').pending === 2);
  tail.command.interrupt();
  watch.command.interrupt();
  const ended = await tail.command.ended;
  expect(ended.exitCode).toBe(0);
  expect(tail.lines().map((line) => line.split('  ').at(-1))).toStrictEqual(['before', 'after']);
  expect(ended.stderr).toMatch(/^MongoDB .+ Trying again\.\nMongoDB is available again\.\n$/);
  expect(await watch.command.ended).toMatchObject({ exitCode: 0, stderr: '' });
});
