import { describe, expect, it } from 'vitest';
import { sweep } from '../../../lib/sweep/sweep.ts';
import { ago, fakeOutbox, stale } from './sweep-ports.ts';

const options = { staleSeconds: 60, maxAttempts: 5, tombstoneRetentionDays: 30, pointersPerEntry: 1 };

describe('the sweep', () => {
  it('reports every part', async () => {
    const { ports } = fakeOutbox([stale(1), stale(2, { attempts: 5 })], {
      countOutbox: async () => ({ pending: 2, pendingCanaries: 0, dead: 4, oldestPending: ago(90) }),
      readApplyLags: async () => [12],
      readPublisherActivity: async () => ago(3),
      readWaitingCanaries: async () => ({ pending: 1, oldest: ago(1) }),
    });
    expect(await sweep(ports, options)).toStrictEqual({
      pending: 2,
      dead: 4,
      oldestPendingSeconds: 90,
      applyLagP50Millis: 12,
      applyLagP99Millis: 12,
      publisherSilenceSeconds: 3,
      canaryLagMillis: 1_000,
      unreachable: 0,
      republished: 1,
      refused: 0,
      exhausted: 1,
      leftToQueue: 0,
      queueBacklog: 0,
      tombstonesPurged: 0,
      failures: [],
    });
  });

  it('includes canaries in the budget, because they may need to be republished too', async () => {
    const { ports, sent } = fakeOutbox([stale(1)], {
      countOutbox: async () => ({ pending: 0, pendingCanaries: 1, dead: 0, oldestPending: null }),
      countBacklog: async () => 0,
    });
    await sweep(ports, options);
    expect(sent).toHaveLength(1);
  });

  it('continues without the queue: everything else is done and reported', async () => {
    const unavailable = new Error('no queue');
    const { ports } = fakeOutbox([stale(1)], { countBacklog: () => Promise.reject(unavailable) });
    expect(await sweep(ports, options)).toMatchObject({
      pending: 1,
      republished: null,
      queueBacklog: null,
      tombstonesPurged: 0,
      failures: [unavailable],
    });
  });

  it('continues without Neo4j: everything else is done and reported', async () => {
    const unavailable = new Error('no graph');
    const { ports, sent } = fakeOutbox([stale(1)], { listTombstones: () => Promise.reject(unavailable) });
    expect(await sweep(ports, options)).toMatchObject({
      republished: 1,
      tombstonesPurged: null,
      failures: [unavailable],
    });
    expect(sent).toHaveLength(1);
  });

  it('starts nothing once its time is up', async () => {
    const { ports, sent } = fakeOutbox([stale(1)], {
      remainingMillis: () => 4_000,
      listTombstones: () => Promise.reject(new Error('begun')),
    });
    expect(await sweep(ports, options)).toMatchObject({ republished: 0, tombstonesPurged: 0, failures: [] });
    expect(sent).toStrictEqual([]);
  });
});
