/**
 * A publisher's world in memory: a lease, a tail, a backlog and a bus, and a clock that advances
 * with each read of the tail.
 */
import type { Fault } from '../../../lib/contract/fault.ts';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { HeldLease, PublishPorts, TailedPointers } from '../../../lib/publisher/ports.ts';
import type { PublishProgress } from '../../../lib/publisher/progress.ts';

export const pointer = (index: number): Pointer => ({
  eventId: index.toString(16).padStart(24, '0'),
  aggregateType: 'graph',
  aggregateId: `${index}`,
});

export const position = (seconds: number) => toPosition({ t: seconds, i: 0 });

/** The results of the tail, read by read. After the last one it returns only a token. */
export type Looks = readonly (TailedPointers<number> | Fault)[];

/**
 * The lease's progress is the token 1, and the cluster's time is 50. The pending events 7 and 8
 * have these positions; each is a separate chunk.
 */
export function world(looks: Looks, given: Partial<PublishPorts<number>> = {}) {
  let remaining = 60_000;
  const sent: string[] = [];
  const published: string[] = [];
  const saved: PublishProgress<number>[] = [];
  const events: string[] = [];
  const queue = [...looks];
  const look = async (): Promise<TailedPointers<number>> => {
    remaining -= 1_500;
    const found = queue.shift() ?? { pointers: [], resumeToken: 99 };
    if (found instanceof Error) throw found;
    return found;
  };
  const lease: HeldLease<number> = {
    progress: { tail: { resumeToken: 1 }, backlog: null },
    renewMillis: 2_000,
    save: async (progress) => {
      saved.push(progress);
      return true;
    },
    release: async () => void events.push('released'),
  };
  const ports: PublishPorts<number> = {
    acquireLease: async () => lease,
    readClusterTime: async () => position(50),
    openTail: (start) => {
      events.push(`opened ${'after' in start ? `after ${start.after}` : `behind ${start.resumeToken}`}`);
      return { next: look, poll: look, close: async () => void events.push('closed') };
    },
    readBacklog: async (backlog) => {
      const next = [7, 8].find((index) => position(index) > (backlog.after ?? ''));
      if (next === undefined) return { pointers: [], rest: null };
      return { pointers: [pointer(next)], rest: next === 8 ? null : { ...backlog, after: position(next) } };
    },
    send: async (packs) => {
      sent.push(...packs.flat().map((one) => one.aggregateId));
      return [];
    },
    pointersPerEntry: 1,
    sleep: async (millis) => {
      remaining -= millis;
    },
    random: () => 0.5,
    remainingMillis: () => remaining,
    log: {
      publishingPending: (code) => void events.push(`pending ${code}`),
      published: (taken) => void published.push(...taken.map((one) => one.aggregateId)),
      leftToSweep: (left) => void events.push(`left ${left.map((one) => one.aggregateId).join()}`),
    },
    ...given,
  };
  return {
    ports,
    sent,
    published,
    saved,
    events,
    lease,
    /** The ports with another lease. */
    withLease: (other: Partial<HeldLease<number>>): PublishPorts<number> => ({
      ...ports,
      acquireLease: async () => ({ ...lease, ...other }),
    }),
    passTime: (millis: number) => {
      remaining -= millis;
    },
  };
}
