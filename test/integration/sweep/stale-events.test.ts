import { Int32, Timestamp } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Pack } from '../../../lib/contract/pointer.ts';
import { readServerTime } from '../../../lib/outbox/mongodb-measure.ts';
import { findStale } from '../../../lib/sweep/mongodb-find-stale.ts';
import { reschedulePending } from '../../../lib/sweep/mongodb-reschedule.ts';
import type { Schedule } from '../../../lib/sweep/stale-event.ts';
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
});

const outbox = () => database.db.collection(outboxCollection);
/** A position as many seconds in the past. */
const secondsAgo = (seconds: number, index = 0) =>
  new Timestamp({ t: Math.floor(Date.now() / 1000) - seconds, i: index + 1 });
const ids = (events: readonly { eventId: string }[]) => events.map((one) => one.eventId);
const never: Schedule = { attempts: 0, nextAttemptAt: null };
const inAMinute = new Date(Date.now() + 60_000);

/** Inserts `count` events that have been pending for five minutes. */
async function insertStale(count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, index) => outboxEvent({ position: secondsAgo(300, index) }));
  await outbox().insertMany(events);
  return events.map((event) => event._id.toHexString());
}

/** A queue that records what it accepts. */
function recordingQueue() {
  const accepted: string[] = [];
  const sendToQueue = async (packs: readonly Pack[]) => {
    accepted.push(...ids(packs.flat()));
    return [];
  };
  return { accepted, sendToQueue };
}

describe('a stale event', () => {
  it("is due, and pending for longer than the limit by the server's clock", async () => {
    const now = await readServerTime(outbox());
    const over = outboxEvent({ position: secondsAgo(62) });
    const under = outboxEvent({ position: secondsAgo(50) });
    const waiting = outboxEvent({ position: secondsAgo(90), nextAttemptAt: new Date(now.getTime() + 1) });
    const due = outboxEvent({ position: secondsAgo(90), nextAttemptAt: now });
    const wrongClock = outboxEvent({ createdAt: new Date(0) });
    await outbox().insertMany([over, under, waiting, due, wrongClock]);
    const staleBefore = new Date(now.getTime() - 60_000);
    const found = await findStale(outbox(), { staleBefore, dueBy: now, after: null, limit: 10 });
    expect(ids(found)).toStrictEqual([due._id.toHexString(), over._id.toHexString()]);
    expect(found.map((event) => event.nextAttemptAt)).toStrictEqual([now, null]);
  });
});

describe('rescheduling', () => {
  it('changes an event that is unchanged since it was read, and can be reverted', async () => {
    const [eventId = ''] = await insertStale(1);
    const claimed = { attempts: 1, nextAttemptAt: inAMinute };
    const before = await outbox().findOne({});
    expect(await reschedulePending(outbox(), [{ eventId, from: never, to: claimed }])).toStrictEqual(
      new Set([eventId]),
    );
    expect(await outbox().findOne({})).toMatchObject({ ...claimed, status: 'pending' });
    await reschedulePending(outbox(), [{ eventId, from: claimed, to: never }]);
    expect(await outbox().findOne({})).toStrictEqual(before);
  });

  it.each([
    ['was settled in the meantime', { status: 'processed', processedAt: new Date() }],
    ['was claimed in the meantime', { nextAttemptAt: new Date() }],
    ['was tried in the meantime', { attempts: new Int32(1) }],
  ])('does not touch an event that %s', async (_, fields) => {
    const [first = '', second = ''] = await insertStale(2);
    await outbox().updateOne({}, { $set: fields });
    const to = { attempts: 7, nextAttemptAt: inAMinute };
    const changes = [first, second].map((eventId) => ({ eventId, from: never, to }));
    expect(await reschedulePending(outbox(), changes)).toStrictEqual(new Set([second]));
    expect(await outbox().countDocuments({ attempts: 7 })).toBe(1);
  });

  it('gives each event to exactly one of many concurrent claims, and returns which', async () => {
    const events = await insertStale(300);
    const claims = await Promise.all(
      Array.from({ length: 6 }, (_, index) => {
        // All claims write the same time, so it does not distinguish them.
        const to = { attempts: 1, nextAttemptAt: inAMinute };
        const claimed = events.slice(index * 10, 200 + index * 20);
        return reschedulePending(
          outbox(),
          claimed.map((eventId) => ({ eventId, from: never, to })),
        );
      }),
    );
    const all = claims.flatMap((claim) => [...claim]);
    expect(all).toHaveLength(new Set(all).size);
    expect(new Set(all)).toStrictEqual(new Set(events.slice(0, 300)));
  });
});

describe('sweeps', () => {
  it('that run at the same time send each event once', async () => {
    const events = await insertStale(700);
    const { accepted, sendToQueue } = recordingQueue();
    const reports = await Promise.all(Array.from({ length: 4 }, () => sweepOn(database.db, { sendToQueue })));
    expect([...accepted].sort()).toStrictEqual([...events].sort());
    expect(reports.reduce((sum, report) => sum + (report.republished ?? 0), 0)).toBe(700);
  });

  it('send an event after its back-off if a sweep was killed between claim and send', async () => {
    const events = await insertStale(30);
    const sending = Promise.withResolvers<void>();
    // This sweep is dead from here on: it neither sends nor reverts its claim.
    const killed = async () => {
      sending.resolve();
      return new Promise<never>(() => undefined);
    };
    void sweepOn(database.db, { sendToQueue: killed });
    await sending.promise;
    const { accepted, sendToQueue } = recordingQueue();
    await sweepOn(database.db, { sendToQueue });
    expect(accepted).toStrictEqual([]);
    const later = new Date(Date.now() + 40_000);
    await sweepOn(database.db, { sendToQueue, readServerTime: async () => later });
    expect([...accepted].sort()).toStrictEqual([...events].sort());
  });
});
