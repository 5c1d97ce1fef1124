/** The verdict on a stage, with counts that the test defines. */
import { expect, it } from 'vitest';
import { type StatusPorts, takeStatus } from '../../../cli/status/status.ts';

const at = new Date('2026-11-25T12:00:00Z');
const ago = (seconds: number) => new Date(at.getTime() - seconds * 1_000);
const staleSeconds = 120;

/** A stage in step, unless `ports` say otherwise. */
const statusOf = (ports: Partial<StatusPorts> = {}) =>
  takeStatus(
    {
      readServerTime: async () => at,
      countOutbox: async () => ({ pending: 0, dead: 0, oldestPending: null }),
      countByType: async () => [],
      readSettled: async () => ({ events: [], isWhole: true }),
      readLastProcessed: async () => ago(30),
      readLastCanary: async () => ({ createdAt: ago(30), processedAt: ago(29) }),
      listPublishers: async () => [],
      readQueue: async () => null,
      readDeadLetterQueue: async () => null,
      ...ports,
    },
    { staleSeconds },
  );

const pendingFor = (seconds: number, pending = 3): StatusPorts['countOutbox'] => {
  return async () => ({ pending, dead: 0, oldestPending: ago(seconds) });
};
const settled = (...events: readonly (readonly [secondsAgo: number, lagSeconds: number])[]) => {
  const read = events.map(([seconds, lag]) => ({ processedAt: ago(seconds), lagMillis: lag * 1_000 }));
  return { readSettled: async () => ({ events: read, isWhole: true }) };
};
const publisher = {
  id: 'publisher/0',
  owner: 'one',
  leaseExpiresAt: ago(-10),
  updatedAt: ago(1),
  hasBacklog: false,
  workers: null,
};

it('a stage without pending events is in step, and has no reasons', async () => {
  expect(await statusOf()).toMatchObject({ verdict: 'in-step', reasons: [], lag: null, settledPerSecond: 0 });
});

it.each([
  [120, 'in-step'],
  [121, 'out-of-step'],
])('if an event is pending for %d s and the sweep waits for 120, it is %s', async (seconds, verdict) => {
  expect(await statusOf({ countOutbox: pendingFor(seconds) })).toMatchObject({ verdict });
});

it('is catching up while events are pending and others are settled, and says how fast', async () => {
  const report = await statusOf({ countOutbox: pendingFor(600, 1_200), ...settled([1, 580], [2, 590], [70, 500]) });
  expect(report).toMatchObject({ verdict: 'catching-up', settledPerSecond: 2 / 60 });
  expect(report.reasons).toStrictEqual([
    '1,200 events are pending, the oldest for 10 min; 2 a minute are being settled.',
  ]);
});

it('is out of step if events are pending and the last one was settled over a minute ago', async () => {
  const report = await statusOf({ countOutbox: pendingFor(300, 1), ...settled([61, 200]) });
  expect(report).toMatchObject({ verdict: 'out-of-step' });
  expect(report.reasons).toStrictEqual([
    '1 event is pending, the oldest for 5 min, and none was settled in the last minute.',
  ]);
});

it('an event that is pending for hours while others are settled quickly is being skipped', async () => {
  const report = await statusOf({ countOutbox: pendingFor(7_200, 1), ...settled([1, 0.5], [2, 3]) });
  expect(report.verdict).toBe('out-of-step');
  expect(report.reasons[0]).toBe(
    '1 event is pending, the oldest for 2 h, although others are settled within 3.0 s: it is being skipped.',
  );
});

it('the oldest event of a long backlog in progress is not being skipped', async () => {
  const backlog = { countOutbox: pendingFor(7_200, 90_000), ...settled([1, 7_000]) };
  expect(await statusOf(backlog)).toMatchObject({ verdict: 'catching-up' });
});

it('a dead event makes it out of step even if everything else is well', async () => {
  const report = await statusOf({ countOutbox: async () => ({ pending: 0, dead: 2, oldestPending: null }) });
  expect(report.verdict).toBe('out-of-step');
  expect(report.reasons).toStrictEqual([
    '2 events are dead. Fix the cause, then redrive: until then, the graph lacks this data.',
  ]);
});

it.each([
  ['on its way', ago(100), 'in-step'],
  ['late', ago(130), 'out-of-step'],
] as const)('a canary that is %s', async (_, createdAt, verdict) => {
  const report = await statusOf({ readLastCanary: async () => ({ createdAt, processedAt: null }) });
  expect(report).toMatchObject({ verdict, canary: { writtenAt: createdAt, processedAt: null } });
});

it('a stage without a canary is in step if nothing is pending', async () => {
  expect(await statusOf({ readLastCanary: async () => null })).toMatchObject({ verdict: 'in-step', canary: null });
});

const queue = (visible: number, inFlight: number) => ({ readQueue: async () => ({ visible, inFlight, delayed: 0 }) });

it.each<readonly [string, Partial<StatusPorts>, string]>([
  [
    'at a publisher whose lease ran out',
    { listPublishers: async () => [{ ...publisher, leaseExpiresAt: ago(1), updatedAt: ago(200) }] },
    'No publisher is running; the last one was active 3 min 20 s ago.',
  ],
  [
    'at a publisher with a backlog',
    { listPublishers: async () => [{ ...publisher, hasBacklog: true }] },
    'publisher/0 is still publishing a backlog by index.',
  ],
  [
    'in the queue',
    queue(1_200, 0),
    'About 1,200 messages are in the queue: the consumer does not keep up, does not run, or fails.',
  ],
  ['with the consumer', queue(0, 1), 'About 1 message is with the consumer, or waiting for a redelivery.'],
  [
    'for the sweep',
    queue(0, 0),
    'The queue is empty: pending events were not published, or their messages were lost. The sweep republishes them.',
  ],
])('says that pending events wait %s', async (_, ports, reason) => {
  const report = await statusOf({ countOutbox: pendingFor(300), ...ports });
  expect(report.reasons.slice(1)).toStrictEqual([reason]);
});

it('a publisher has an owner only until its lease expires', async () => {
  const listPublishers = async () => [publisher, { ...publisher, id: 'publisher/1', leaseExpiresAt: ago(1) }];
  const { publishers, reasons } = await statusOf({ listPublishers, countOutbox: pendingFor(300) });
  expect(publishers.map(({ owner }) => owner)).toStrictEqual(['one', null]);
  expect(reasons).toHaveLength(1);
});

it('lists pending and dead events by type, and says if not all were counted', async () => {
  const types = {
    pending: [{ aggregateType: 'person', events: 9_999, oldestAt: ago(5) }],
    dead: [{ aggregateType: 'book', events: 2, oldestAt: ago(9) }],
  };
  const countByType: StatusPorts['countByType'] = async (status) => types[status];
  expect(await statusOf({ countByType })).toMatchObject({
    types: [
      { aggregateType: 'book', pending: 0, oldestPendingAt: null, dead: 2 },
      { aggregateType: 'person', pending: 9_999, oldestPendingAt: ago(5), dead: 0 },
    ],
    isCapped: false,
  });
  types.pending = [{ aggregateType: 'person', events: 10_000, oldestAt: ago(5) }];
  expect(await statusOf({ countByType })).toMatchObject({ isCapped: true });
});

it('reports percentiles of the lag in the last minute, never below zero', async () => {
  const events = Array.from({ length: 100 }, (_, index) => [index / 2, index + 1] as const);
  const early = [[61, 240]] as const;
  expect((await statusOf(settled(...events, ...early))).lag).toStrictEqual({
    events: 100,
    p50Millis: 50_000,
    p95Millis: 95_000,
    maxMillis: 100_000,
  });
  expect((await statusOf(settled([1, -5]))).lag).toMatchObject({ p50Millis: 0, maxMillis: 0 });
});

it('if more events were settled in a minute than are read, the rate is that of the events read', async () => {
  const events = Array.from({ length: 10_000 }, (_, index) => ({
    processedAt: new Date(at.getTime() - index / 2.5),
    lagMillis: 1,
  }));
  const report = await statusOf({ readSettled: async () => ({ events, isWhole: false }) });
  expect(report.settledPerSecond).toBeGreaterThan(2_450);
  expect(report.settledPerSecond).toBeLessThan(2_550);
});
