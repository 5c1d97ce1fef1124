import { describe, expect, it } from 'vitest';
import type { Pack } from '../../../lib/contract/pointer.ts';
import { republish } from '../../../lib/sweep/republish.ts';
import { ago, fakeOutbox, manyStale, now, stale } from './sweep-ports.ts';

const options = { staleSeconds: 60, maxAttempts: 5, pointersPerEntry: 1 };

describe('republishing', () => {
  it('claims stale events, then sends them', async () => {
    const { ports, sent, order, pending } = fakeOutbox([stale(1), stale(2)]);
    expect(await republish(ports, options, { events: 2, canaries: 0 })).toStrictEqual({
      republished: 2,
      refused: 0,
      exhausted: 0,
      leftToQueue: 0,
      queueBacklog: 0,
    });
    expect(order).toStrictEqual(['rescheduled', 'sent']);
    expect(sent).toStrictEqual([stale(1).eventId, stale(2).eventId]);
    expect([...pending.values()]).toMatchObject(sent.map(() => ({ attempts: 1, nextAttemptAt: ago(-30) })));
  });

  it('processes all of them in chunks of limited size', async () => {
    const { ports, sent } = fakeOutbox(manyStale(1_203));
    const limits: number[] = [];
    const findStale: typeof ports.findStale = (query) => {
      limits.push(query.limit);
      return ports.findStale(query);
    };
    expect(await republish({ ...ports, findStale }, options, { events: 1_203, canaries: 0 })).toMatchObject({
      republished: 1_203,
    });
    expect(new Set(sent).size).toBe(1_203);
    expect(Math.max(...limits)).toBe(500);
  });

  it('sends only what it could claim', async () => {
    const { ports, sent } = fakeOutbox([stale(1), stale(2)], {
      reschedulePending: async () => new Set([stale(2).eventId]),
    });
    expect(await republish(ports, options, { events: 2, canaries: 0 })).toMatchObject({ republished: 1 });
    expect(sent).toStrictEqual([stale(2).eventId]);
  });

  it('marks an event dead after exactly the maximum number of attempts', async () => {
    const { ports, sent, dead } = fakeOutbox([stale(1, { attempts: 4 }), stale(2, { attempts: 5 })]);
    expect(await republish(ports, options, { events: 2, canaries: 0 })).toMatchObject({ republished: 1, exhausted: 1 });
    expect({ sent, dead }).toStrictEqual({
      sent: [stale(1).eventId],
      dead: [{ eventId: stale(2).eventId, code: 'attempts-exhausted' }],
    });
  });

  it('logs for each event whether it was sent, left, or is dead', async () => {
    const events = [stale(1, { attempts: 1 }), stale(2), stale(3, { attempts: 5 })];
    const { ports, logged } = fakeOutbox(events, {
      sendToQueue: async (packs) => packs.filter(([one]) => one?.aggregateId === '2'),
    });
    await republish(ports, options, { events: 3, canaries: 0 });
    expect(logged).toStrictEqual(['3 exhausted', '1 again, attempt 2', '2 left']);
  });

  it('never marks a canary dead, however often it was republished', async () => {
    const { ports, sent, dead } = fakeOutbox([stale(1, { aggregateType: 'outgraph-canary', attempts: 99 })]);
    expect(await republish(ports, options, { events: 1, canaries: 0 })).toMatchObject({ republished: 1, exhausted: 0 });
    expect({ sent, dead }).toStrictEqual({ sent: [stale(1).eventId], dead: [] });
  });

  it.each([
    ['explains them', 3, 3, 600],
    ['does not explain them', 2, 0, 60],
  ])('considers the queue: a backlog that %s', async (_, backlog, leftToQueue, age) => {
    const { ports, staleBefore } = fakeOutbox(manyStale(3), { countBacklog: async () => backlog });
    expect(await republish(ports, options, { events: 3, canaries: 0 })).toMatchObject({
      leftToQueue,
      queueBacklog: backlog,
    });
    expect(staleBefore[0]).toStrictEqual(ago(age));
  });
});

describe('messages that can contain many events', () => {
  const packs = { ...options, pointersPerEntry: 100 };

  it('explain all stale events that they can contain, and not one more', async () => {
    const { ports } = fakeOutbox(manyStale(200), { countBacklog: async () => 2 });
    expect(await republish(ports, packs, { events: 200, canaries: 0 })).toMatchObject({ leftToQueue: 200 });
    const more = fakeOutbox(manyStale(201), { countBacklog: async () => 2 });
    expect(await republish(more.ports, packs, { events: 201, canaries: 0 })).toMatchObject({ leftToQueue: 0 });
  });

  it.each([
    ['not while messages wait and nothing was settled since then', 1, ago(20), null, 0, 1],
    ['not while messages wait and nothing was ever settled', 1, null, null, 0, 1],
    ['if something was settled since then', 1, ago(5), null, 1, 2],
    ['if no message waits, without counting', 0, ago(20), null, 1, 1],
    ['not while an earlier canary is pending', 1, ago(5), ago(11), 0, 1],
    ['if all pending canaries are later', 1, ago(5), ago(9), 1, 2],
    ['if no message waits but a canary does, without counting', 0, ago(5), ago(11), 1, 1],
  ])('send another copy: %s', async (_, backlog, lastProcessed, oldest, sendings, attempts) => {
    const { ports, sent, pending } = fakeOutbox([stale(1, { attempts: 1, nextAttemptAt: ago(10) })], {
      countBacklog: async () => backlog,
      readLastProcessed: async () => lastProcessed,
      readWaitingCanaries: async () => ({ pending: 1, oldest }),
    });
    await republish(ports, packs, { events: 1, canaries: 0 });
    expect(sent).toHaveLength(sendings);
    expect(pending.get(stale(1).eventId)).toMatchObject({ attempts });
  });

  it.each([
    [610, 1],
    [600, 0],
  ])('send a copy %i s after its back-off despite canaries, without counting: %i times', async (seconds, sendings) => {
    const { ports, sent, pending } = fakeOutbox([stale(1, { attempts: 1, nextAttemptAt: ago(seconds) })], {
      countBacklog: async () => 1,
      readLastProcessed: async () => ago(5),
      readWaitingCanaries: async () => ({ pending: 10, oldest: ago(10_000) }),
    });
    await republish(ports, packs, { events: 1, canaries: 0 });
    expect(sent).toHaveLength(sendings);
    expect(pending.get(stale(1).eventId)).toMatchObject({ attempts: 1 });
  });

  it('no event of a queue that drains for five hours is dead or copied more than every ten minutes', async () => {
    const start = now.getTime();
    let minute = 0;
    const at = () => new Date(start + minute * 60_000);
    const { ports, sent, dead } = fakeOutbox(manyStale(200), {
      readServerTime: async () => at(),
      countBacklog: async () => 200,
      readLastProcessed: async () => at(),
      readWaitingCanaries: async () => ({ pending: 10, oldest: new Date(start) }),
    });
    for (; minute < 300; minute += 1) await republish(ports, packs, { events: 200, canaries: 0 });
    expect(dead).toStrictEqual([]);
    expect(sent.length).toBeLessThanOrEqual((200 * 300) / 10);
  });
});

describe('the budget', () => {
  it.each([
    [5, 7, 3],
    [5, 9, 1],
    [5, 10, 0],
    [5, 11, 0],
    [500, 0, 500],
  ])('allows twice as many messages as %i pending events: %i wait, %i are sent', async (count, backlog, expected) => {
    const { ports, sent, pending } = fakeOutbox(manyStale(count), { countBacklog: async () => backlog });
    expect(await republish(ports, options, { events: count, canaries: 0 })).toMatchObject({ republished: expected });
    expect(sent).toHaveLength(expected);
    expect(sent.length === 0 || backlog + sent.length <= 2 * count).toBe(true);
    expect(
      [...pending.values()].filter(({ attempts, nextAttemptAt }) => attempts > 0 || nextAttemptAt !== null),
    ).toHaveLength(expected);
  });

  it('does not search for events if nothing may be sent', async () => {
    const { ports, staleBefore } = fakeOutbox(manyStale(3), { countBacklog: async () => 6 });
    await republish(ports, options, { events: 3, canaries: 0 });
    expect(staleBefore).toStrictEqual([]);
  });

  it('is not used up by exhausted or refused events', async () => {
    const exhausted = Array.from({ length: 10 }, (_, index) => stale(index + 1, { attempts: 5 }));
    const { ports, sent } = fakeOutbox([...exhausted, stale(20), stale(21)], { countBacklog: async () => 22 });
    const refuseOnce: typeof ports.sendToQueue = async (packs) => {
      const refused = packs.filter(([one]) => one?.eventId === stale(20).eventId);
      await ports.sendToQueue(packs.filter((pack) => !refused.includes(pack)));
      return refused;
    };
    expect(await republish({ ...ports, sendToQueue: refuseOnce }, options, { events: 12, canaries: 0 })).toMatchObject({
      republished: 1,
      exhausted: 10,
      refused: 1,
    });
    expect(sent).toStrictEqual([stale(21).eventId]);
  });
});

describe('an event that is not sent', () => {
  const untouched = { attempts: 0, nextAttemptAt: null };

  it('keeps its attempts and schedule if the queue refuses it', async () => {
    const refuseFirst = async (packs: readonly Pack[]) => packs.slice(0, 1);
    const { ports, pending } = fakeOutbox([stale(1), stale(2)], { sendToQueue: refuseFirst });
    expect(await republish(ports, options, { events: 2, canaries: 0 })).toMatchObject({ republished: 1, refused: 1 });
    expect([...pending.values()]).toMatchObject([untouched, { attempts: 1 }]);
  });

  it('keeps them if the queue is unreachable, and the error is thrown', async () => {
    const unreachable = new Error('away');
    const { ports, pending } = fakeOutbox(manyStale(25), { sendToQueue: () => Promise.reject(unreachable) });
    await expect(republish(ports, options, { events: 25, canaries: 0 })).rejects.toBe(unreachable);
    expect([...pending.values()]).toMatchObject(manyStale(25).map(() => untouched));
  });

  it('keeps them if the time is up between claim and send', async () => {
    let remaining = 30_000;
    const { ports, sent, pending } = fakeOutbox(manyStale(3), { remainingMillis: () => remaining });
    const claimSlowly: typeof ports.reschedulePending = async (changes) => {
      remaining = 5_000;
      return ports.reschedulePending(changes);
    };
    expect(
      await republish({ ...ports, reschedulePending: claimSlowly }, options, { events: 3, canaries: 0 }),
    ).toMatchObject({
      republished: 0,
      refused: 0,
    });
    expect(sent).toStrictEqual([]);
    expect([...pending.values()]).toMatchObject(manyStale(3).map(() => untouched));
  });

  it('ends the pass if the queue accepts nothing of a chunk', async () => {
    let calls = 0;
    const { ports } = fakeOutbox(manyStale(2_000), {
      sendToQueue: async (packs) => {
        calls += 1;
        return packs;
      },
    });
    expect(await republish(ports, options, { events: 2_000, canaries: 0 })).toMatchObject({
      republished: 0,
      refused: 500,
    });
    expect(calls).toBe(50);
  });

  it('is not searched for once the time is up, to the millisecond', async () => {
    for (const [remaining, expected] of [
      [5_000, 0],
      [5_001, 1],
    ]) {
      const { ports, staleBefore } = fakeOutbox([], { remainingMillis: () => remaining ?? 0 });
      await republish(ports, options, { events: 1, canaries: 0 });
      expect(staleBefore).toHaveLength(expected ?? 0);
    }
  });
});

it('an attempt has the time at which its chunk was found, not that of the pass', async () => {
  let reads = 0;
  const readServerTime = async () => {
    reads += 1;
    return new Date(now.getTime() + reads * 1_000);
  };
  const { ports, pending } = fakeOutbox([stale(1)], { readServerTime });
  await republish(ports, options, { events: 1, canaries: 0 });
  expect([...pending.values()]).toMatchObject([{ nextAttemptAt: new Date(now.getTime() + 2_000 + 30_000) }]);
});

it("a redriven event is sent even if the sweep's own canary is in the queue", async () => {
  const { ports, sent } = fakeOutbox([stale(1)], { countBacklog: async () => 1, countStale: async () => 1 });
  expect(await republish(ports, options, { events: 1, canaries: 1 })).toMatchObject({ republished: 1, leftToQueue: 0 });
  expect(sent).toStrictEqual([stale(1).eventId]);
});

it('an event known to be in the queue is neither resent nor counted as an attempt', async () => {
  const { ports, sent, dead, pending } = fakeOutbox([stale(1, { attempts: 99 }), stale(2)], {
    isWaiting: (eventId) => eventId === stale(1).eventId,
  });
  expect(await republish(ports, options, { events: 2, canaries: 0 })).toMatchObject({ republished: 1, exhausted: 0 });
  expect({ sent, dead }).toStrictEqual({ sent: [stale(2).eventId], dead: [] });
  expect(pending.get(stale(1).eventId)).toMatchObject({ attempts: 99 });
});
