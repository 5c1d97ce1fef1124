/**
 * The sweep is killed while it runs, or runs twice at once. An event may be published twice, but is
 * in the graph once.
 */
import { expect } from 'vitest';
import { readServerTime } from '../../../lib/outbox/mongodb-measure.ts';
import { countStale } from '../../../lib/sweep/mongodb-find-stale.ts';
import { type FailureStack, sweepStaleSeconds } from '../../support/failure-stack.ts';
import type { Stop } from '../../support/tcp-proxy.ts';
import { Workload } from '../../support/workload.ts';
import { holdLease } from './hold-lease.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

/** The sweep claims events in a transaction. No other part commits one while these rows run. */
const claims: Stop['at'] = (bytes) => bytes.includes('commitTransaction');

/** Writes events that no publisher publishes, and waits until they are stale for the sweep. */
async function staleEvents(
  stack: FailureStack,
): Promise<{ readonly workload: Workload; readonly giveLease: () => Promise<void> }> {
  const giveLease = await holdLease(stack);
  const workload = new Workload(stack);
  await workload.insert(4);
  const areStale = async () => {
    const now = await readServerTime(stack.outbox);
    return (await countStale(stack.outbox, new Date(now.getTime() - sweepStaleSeconds * 1_000), 4)) === 4;
  };
  await until('the events to be stale', areStale);
  return { workload, giveLease };
}

export const sweepRows = {
  sweepKilled: async (stack) => {
    const { workload, giveLease } = await staleEvents(stack);
    try {
      const stopped = stack.stopMongodbOnce({
        at: claims,
        before: 'reply',
        act: async (): Promise<'cut'> => {
          expect(await stack.functions.kill('sweep')).toBeGreaterThan(0);
          return 'cut';
        },
      });
      const killed = stack.functions.runWhenFree('sweep');
      await stopped;
      expect(await killed).toMatchObject({ error: true });
      expect(await workload.statuses()).toMatchObject({ pending: 4 });
      await until(
        'the next sweep to publish them',
        async () => {
          await stack.functions.run('sweep');
          return (await workload.statuses()).pending === 0;
        },
        100,
      );
      await expectInStep(workload, 4);
    } finally {
      await giveLease();
    }
  },

  twoSweeps: async (stack) => {
    const { workload, giveLease } = await staleEvents(stack);
    try {
      await stack.functions.allowConcurrent('sweep', 2);
      const both = await Promise.all([stack.functions.runWhenFree('sweep'), stack.functions.runWhenFree('sweep')]);
      expect(both).toMatchObject([{ error: false }, { error: false }]);
      await expectInStep(workload, 4);
    } finally {
      await stack.functions.allowConcurrent('sweep', 1);
      await giveLease();
    }
  },
} satisfies CrashRows;
