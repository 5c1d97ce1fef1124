import { describe, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import type { StaleEvent } from '../../../lib/contract/stale-event.ts';
import { type SweepPorts, sweep } from '../../../lib/sweep/sweep.ts';

const now = new Date('2026-01-01T00:00:00Z');
const stale = (index: number, attempts = 0): StaleEvent => ({
  eventId: index.toString(16).padStart(24, '0'),
  aggregateType: 'graph',
  aggregateId: `${index}`,
  position: toPosition({ t: index, i: 1 }),
  attempts,
});

function world(events: readonly StaleEvent[], given: Partial<SweepPorts> = {}) {
  const sent: string[] = [];
  const dead: string[] = [];
  const order: string[] = [];
  const staleBefore: Date[] = [];
  const ports: SweepPorts = {
    readServerTime: async () => now,
    countStale: async () => events.length,
    findStale: async (query) => {
      staleBefore.push(query.staleBefore);
      return events.filter((event) => query.after === null || event.position > query.after).slice(0, 2);
    },
    readLastProcessed: async () => null,
    claimStale: async (ids) => void (ids.length > 0 && order.push('claimed')),
    sendToQueue: async (pointers) => {
      order.push('sent');
      return sent.push(...pointers.map((pointer) => pointer.aggregateId)) && pointers.length;
    },
    countBacklog: async () => 0,
    markDead: async (marked) => dead.push(...marked.map((event) => event.code)) && marked.length,
    countOutbox: async () => ({ pending: events.length, dead: 0, oldestPending: new Date(now.getTime() - 90_000) }),
    listTombstones: async () => [],
    removeTombstones: async (tombstones) => tombstones.length,
    unsettledAggregates: async () => new Set(),
    remainingMillis: () => 30_000,
    ...given,
  };
  return { ports, sent, dead, order, staleBefore };
}
const options = { staleSeconds: 60, maxAttempts: 5, tombstoneRetentionDays: 30 };

describe('the sweep', () => {
  it('claims stale events, then sends them, chunk by chunk', async () => {
    const { ports, sent, order } = world([stale(1), stale(2), stale(3)]);
    expect(await sweep(ports, options)).toMatchObject({ republished: 3, exhausted: 0, oldestPendingSeconds: 90 });
    expect([sent, order]).toStrictEqual([
      ['1', '2', '3'],
      ['claimed', 'sent', 'claimed', 'sent'],
    ]);
  });

  it('marks dead what was published as often as it may, and not one attempt earlier', async () => {
    const { ports, sent, dead } = world([stale(1, 4), stale(2, 5)]);
    expect(await sweep(ports, options)).toMatchObject({ republished: 1, exhausted: 1 });
    expect([sent, dead]).toStrictEqual([['1'], ['attempts-exhausted']]);
  });

  it.each([
    ['explains them', 3, 3, 600],
    ['does not explain them', 2, 0, 60],
  ])('looks at the queue: a backlog that %s', async (_, backlog, leftToQueue, age) => {
    const { ports, staleBefore } = world([stale(1), stale(2), stale(3)], { countBacklog: async () => backlog });
    expect(await sweep(ports, options)).toMatchObject({ leftToQueue });
    expect(now.getTime() - (staleBefore[0]?.getTime() ?? 0)).toBe(age * 1000);
  });

  it('stops before its time is up', async () => {
    const { ports, sent } = world([stale(1)], { remainingMillis: () => 4_000 });
    await sweep(ports, options);
    expect(sent).toStrictEqual([]);
  });

  it('purges a tombstone, but not one whose aggregate has a pending or dead event', async () => {
    const removed: string[] = [];
    const { ports } = world([], {
      listTombstones: async ({ afterKey }) =>
        afterKey === null ? ['graph:a', 'graph:b'].map((key) => ({ key, position: toPosition({ t: 1, i: 1 }) })) : [],
      unsettledAggregates: async () => new Set(['graph:a']),
      removeTombstones: async (tombstones) => removed.push(...tombstones.map((one) => one.key)),
    });
    expect(await sweep(ports, options)).toMatchObject({ tombstonesPurged: 1 });
    expect(removed).toStrictEqual(['graph:b']);
  });
});
