import { Timestamp } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { fetchEvents } from '../../../lib/consumer/mongodb-fetch-events.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { countOutbox, readApplyLags, readServerTime } from '../../../lib/outbox/mongodb-measure.ts';
import { projectOutboxEvent } from '../../../lib/projection/project.ts';
import { type CanaryNote, writeCanary } from '../../../lib/sweep/mongodb-canaries.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { readChunks } from '../../support/chunks.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { sweepOn } from '../../support/sweep-on.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await outbox().deleteMany({});
  await notes().deleteMany({});
});

const outbox = () => database.db.collection(outboxCollection);
const notes = () => database.db.collection<CanaryNote>(checkpointCollection);
const canaries = () => outbox().find({ aggregateType: 'outgraph-canary' }).sort({ position: 1 }).toArray();
const idsOf = (events: readonly { _id: unknown }[]) => events.map((event) => String(event._id));

/** Runs the sweep as if `secondsLater` had passed. */
async function run(secondsLater = 0) {
  const now = new Date((await readServerTime(outbox())).getTime() + secondsLater * 1000);
  return sweepOn(database.db, { readServerTime: async () => now, sendToQueue: async () => [] });
}

it('each run writes a canary as a writer would, with the time of the server, and notes it', async () => {
  const before = await readServerTime(outbox());
  await run();
  const [event, ...others] = await canaries();
  expect(others).toStrictEqual([]);
  expect(event).toMatchObject({ aggregateId: 'sweep', operation: 'upsert', status: 'pending', attempts: 0 });
  expect(event?.createdAt >= before).toBe(true);
  expect((event?.position as Timestamp).t).toBeGreaterThan(0);
  expect(await notes().findOne()).toStrictEqual({ _id: 'canary', eventId: event?._id, writtenAt: event?.createdAt });
});

it('to the consumer, a canary is an upsert of an aggregate that lists nothing', async () => {
  await run();
  const [fetched] = await readChunks(fetchEvents(outbox(), idsOf(await canaries())));
  if (fetched?.status !== 'pending') throw new Error('The canary is not pending.');
  expect(fetched.event).toMatchObject({ operation: 'upsert', payload: {} });
  expect(projectOutboxEvent(catalog, fetched.event)).toStrictEqual({ nodes: [], relationships: [] });
});

it('the lag is that of the newest canary that arrived, or the age of the oldest pending one', async () => {
  expect(await run()).toMatchObject({ canaryLagMillis: null });
  await acknowledgeEvents(outbox(), idsOf(await canaries()));
  const [first] = await canaries();
  expect(await run()).toMatchObject({ canaryLagMillis: first?.processedAt.getTime() - first?.createdAt.getTime() });
  const { canaryLagMillis } = await run(90);
  expect(canaryLagMillis).toBeGreaterThanOrEqual(90_000);
  expect(canaryLagMillis).toBeLessThan(100_000);
});

it('a lost and a dead canary are settled when a later one has arrived, and not before', async () => {
  await run();
  await run();
  await run();
  const [lost, dead, last] = idsOf(await canaries());
  await markDead(outbox(), [{ eventId: dead ?? '', code: 'aggregate-type-unknown', message: 'an older consumer' }]);
  await run();
  expect((await canaries()).map((event) => event.status)).toStrictEqual(['pending', 'dead', 'pending', 'pending']);
  expect(await countOutbox(outbox(), 100)).toMatchObject({ pending: 0, pendingCanaries: 3, dead: 0 });
  // The note names the canary written last.
  const newest = idsOf(await canaries()).at(-1) ?? '';
  await acknowledgeEvents(outbox(), [newest]);
  const { canaryLagMillis } = await run();
  expect(canaryLagMillis).toBeLessThan(60_000);
  expect((await canaries()).map((event) => event.status)).toStrictEqual([
    'processed',
    'processed',
    'processed',
    'processed',
    'pending',
  ]);
  expect(await outbox().countDocuments({ error: { $exists: true } })).toBe(0);
  expect(idsOf(await canaries()).slice(0, 3)).toStrictEqual([lost, dead, last]);
});

it('an outage leaves ten canaries, which are republished like other events but never exhausted', async () => {
  for (let minute = 0; minute < 15; minute += 1) await run(minute * 60);
  expect(await canaries()).toHaveLength(10);
  // All attempts are used: any other event would be dead.
  await outbox().updateMany(
    {},
    { $set: { attempts: 99, position: new Timestamp({ t: 1_000, i: 1 }) }, $unset: { nextAttemptAt: '' } },
  );
  await outbox().insertOne(outboxEvent({ attempts: 99, position: new Timestamp({ t: 1_000, i: 2 }) }));
  expect(await run()).toMatchObject({ exhausted: 1 });
  expect((await canaries()).map((event) => event.status)).toStrictEqual(Array.from({ length: 10 }, () => 'pending'));
});

it('canaries are not part of any count, age or lag', async () => {
  await writeCanary(outbox(), notes(), new Date(0));
  await acknowledgeEvents(outbox(), idsOf(await canaries()));
  await writeCanary(outbox(), notes(), new Date(0));
  const own = outboxEvent();
  await outbox().insertOne(own);
  const counts = await countOutbox(outbox(), 100);
  expect(counts).toMatchObject({ pending: 1, pendingCanaries: 1, dead: 0 });
  expect(counts.oldestPending).toStrictEqual(
    new Date(((await outbox().findOne({ _id: own._id }))?.position as Timestamp).t * 1000),
  );
  await acknowledgeEvents(outbox(), [own._id.toHexString()]);
  const lags = await readApplyLags(outbox(), new Date(Date.now() - 60_000), 100);
  expect(lags).toHaveLength(1);
  expect(lags[0]).toBeLessThan(60_000);
});
