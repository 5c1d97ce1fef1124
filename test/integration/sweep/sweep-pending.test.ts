import { Int32, Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { claimStale, findStale, readLastProcessed, readServerTime } from '../../../lib/mongodb/sweep-pending.ts';
import { outboxEvent } from '../../outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
/** A position is told by its second: one that lies so many seconds back. */
const secondsAgo = (seconds: number) => new Timestamp({ t: Math.floor(Date.now() / 1000) - seconds, i: 1 });
const ids = (events: readonly { eventId: string }[]) => events.map((one) => one.eventId);

describe('a stale event', () => {
  it('is pending for longer than the limit by the server, and due', async () => {
    const now = await readServerTime(outbox());
    const over = outboxEvent({ position: secondsAgo(62) });
    const under = outboxEvent({ position: secondsAgo(50) });
    const waiting = outboxEvent({ position: secondsAgo(90), nextAttemptAt: new Date(now.getTime() + 60_000) });
    const wrongClock = outboxEvent({ createdAt: new Date(0) });
    await outbox().insertMany([over, under, waiting, wrongClock]);
    const found = await findStale(outbox(), {
      staleBefore: new Date(now.getTime() - 60_000),
      now,
      after: null,
      limit: 10,
    });
    expect(ids(found)).toStrictEqual([over._id.toHexString()]);
  });

  it('that is claimed is not due again before its back-off is over, and counts one attempt', async () => {
    const one = outboxEvent({ position: secondsAgo(300) });
    await outbox().insertOne(one);
    const now = await readServerTime(outbox());
    await claimStale(outbox(), [one._id.toHexString()], now, null);
    const claimed = await outbox().findOne({ _id: one._id });
    expect(claimed).toMatchObject({ attempts: 1, status: 'pending' });
    expect(claimed?.nextAttemptAt.getTime()).toBeGreaterThan(now.getTime() + 20_000);
    expect(ids(await findStale(outbox(), { staleBefore: now, now, after: null, limit: 100 }))).not.toContain(
      one._id.toHexString(),
    );
  });

  it('gets no nearer to its end in an outage, when nothing is settled', async () => {
    const past = new Date(Date.now() - 10_000);
    const one = outboxEvent({ position: secondsAgo(300), attempts: new Int32(3), nextAttemptAt: past });
    const other = outboxEvent({ position: secondsAgo(300), attempts: new Int32(3), nextAttemptAt: past });
    await outbox().insertMany([one, other]);
    const now = await readServerTime(outbox());
    await claimStale(outbox(), [one._id.toHexString()], now, new Date(past.getTime() - 1));
    await claimStale(outbox(), [other._id.toHexString()], now, new Date(past.getTime() + 1));
    expect([await outbox().findOne({ _id: one._id }), await outbox().findOne({ _id: other._id })]).toMatchObject([
      { attempts: 3 },
      { attempts: 4 },
    ]);
  });

  it('that was settled meanwhile is not claimed', async () => {
    const one = outboxEvent({ position: secondsAgo(300), status: 'processed', processedAt: new Date() });
    await outbox().insertOne(one);
    await claimStale(outbox(), [one._id.toHexString()], await readServerTime(outbox()), null);
    expect(await outbox().findOne({ _id: one._id })).toMatchObject({ attempts: 0 });
    expect(await readLastProcessed(outbox())).toBeInstanceOf(Date);
  });
});
