/**
 * `outgraph backfill` through the outbox and `outgraph redrive --since`, run as commands on a real
 * outbox.
 */
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { readPublisherActivity } from '../../../lib/outbox/mongodb-measure.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { outgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  for (const name of [outboxCollection, 'memory_events']) await database.db.collection(name).deleteMany({});
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
const settings = () => ({
  ...database.settings,
});

it('the next run continues a killed backfill and removes its progress note at the end', async () => {
  const ids = Array.from({ length: 40 }, () => new ObjectId());
  const documents = ids.map((_id) => ({ _id, user_id: 'ada', date: '12-10' }));
  await database.db.collection('memory_events').insertMany(documents);
  const slow = startOutgraphProcess(['backfill', 'memory-event', '--yes', '--rate', '20'], settings());
  const { after } = await waitUntil(
    async () => {
      const note = await database.db.collection<{ _id: string; after: string | null }>(checkpointCollection).findOne({
        _id: 'backfill/memory-event',
      });
      return note?.after == null ? undefined : { after: note.after };
    },
    { timeoutSeconds: 60, pollMillis: 10, what: 'the first chunk to be recorded' },
  );
  slow.kill();
  await slow.ended;
  expect(after).not.toContain(String(ids.at(-1)));
  expect(await readPublisherActivity(database.db.collection(checkpointCollection))).toBeNull();

  const { results } = await outgraph(['backfill', 'memory-event'], settings());
  expect(results).toMatchObject({ 'memory-event': { outcome: 'done', unprojectable: 0 } });
  const events = await outbox().find({ operation: 'upsert' }).toArray();
  expect(new Set(events.map(({ aggregateId }) => aggregateId))).toStrictEqual(new Set(ids.map(String)));
  // The second run repeats at most the chunk that was in progress.
  expect(events.length).toBeLessThan(2 * ids.length);
  expect(await database.db.collection<{ _id: string }>(checkpointCollection).countDocuments({ _id: /backfill/ })).toBe(
    0,
  );
});

it.each<readonly [string, readonly string[]]>([
  ['backfill', []],
  ['direct-backfill', ['--direct']],
])('%s --restart restarts all its types, including those it does not reach', async (way, flags) => {
  const documents = Array.from({ length: 40 }, () => ({ _id: new ObjectId(), user_id: 'ada', date: '12-10' }));
  await database.db.collection('memory_events').insertMany(documents);
  const notes = database.db.collection<{ _id: string }>(checkpointCollection);
  // The notes of an earlier run of both types, with the same progress in the second one.
  const earlier = startOutgraphProcess(['backfill', 'memory-event', ...flags, '--yes', '--rate', '20'], settings());
  const first = await waitUntil(
    async () => (await notes.findOne({ _id: `${way}/memory-event`, after: { $ne: null } } as object)) ?? undefined,
    { timeoutSeconds: 60, pollMillis: 10, what: 'the first chunk to be recorded' },
  );
  earlier.kill();
  await earlier.ended;
  await notes.insertOne({ ...first, _id: `${way}/memory-user` });
  const types = ['memory-event', 'memory-user'];
  const running = startOutgraphProcess(
    ['backfill', ...types, ...flags, '--restart', '--yes', '--rate', '10', '--json'],
    settings(),
  );
  await waitUntil(async () => ((await notes.countDocuments({ _id: `${way}/memory-user` })) === 0 ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 10,
    what: 'the notes to be removed',
  });
  running.interrupt();
  const { exitCode, stdout } = await running.ended;
  expect({ exitCode, results: JSON.parse(stdout).results }).toMatchObject({
    exitCode: 130,
    results: { 'memory-event': { outcome: 'interrupted' } },
  });
  await notes.deleteMany({ _id: /backfill/ } as object);
});

it('a redrive includes events processed in the window, but no earlier ones and no dead ones', async () => {
  const [before, within, dead] = [outboxEvent(), outboxEvent(), outboxEvent()];
  const hourAgo = { status: 'processed', processedAt: new Date(Date.now() - 1_800_000) };
  await outbox().insertMany([{ ...before, ...hourAgo }, within]);
  await acknowledgeEvents(outbox(), [within._id.toHexString()]);
  await outbox().insertOne({ ...dead, status: 'dead', deadAt: new Date(), error: { code: 'x', message: 'y' } });
  const since = new Date(Date.now() - 600_000).toISOString();
  const answer = await outgraph(['redrive', '--since', since, '--margin-seconds', '0'], settings());
  expect(answer).toMatchObject({ outcome: 'done', redriven: 1, since });
  const redriven = await outbox().findOne({ _id: within._id });
  expect(redriven).toMatchObject({ status: 'pending', attempts: 0 });
  expect(redriven).not.toHaveProperty('processedAt');
  expect(await outbox().countDocuments({ status: 'pending' })).toBe(1);
});

it.each([
  ['no events chosen', ['redrive'], 'choose events'],
  ['an unknown code', ['redrive', '--code', 'x'], 'must be one of'],
  ['a time without its zone', ['redrive', '--since', '2026-11-25'], 'must be a time with its zone'],
  ['an unknown type', ['backfill', 'unknown'], 'choose from graph, memory-user, memory-event'],
  ['the canaries', ['backfill', 'outgraph-canary'], 'no aggregate type "outgraph-canary" with documents'],
])('wrong use exits 2 and says what is right: %s', async (_, args, text) => {
  const { exitCode, stderr } = await startOutgraph(args, settings()).ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 2, stderr: expect.stringContaining(text) });
});

it('names missing settings, and exits 1 without the address if a server is unreachable', async () => {
  const missing = await startOutgraphProcess(['redrive', '--all'], {}).ended;
  expect({ exitCode: missing.exitCode, stderr: missing.stderr }).toStrictEqual({
    exitCode: 2,
    stderr: expect.stringContaining('MONGODB_URI'),
  });
  const uri = 'mongodb://somebody:secret@127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=100';
  const unreachable = await startOutgraph(['redrive', '--all', '--json'], { MONGODB_URI: uri }).ended;
  expect(unreachable.exitCode).toBe(1);
  expect(JSON.parse(unreachable.stdout)).toMatchObject({ outcome: 'failed' });
  expect(unreachable.stdout + unreachable.stderr).not.toContain('secret');
});
