/**
 * The publisher is killed before or after a send. EventBridge refuses entries, answers for too few
 * of them, or is unreachable.
 */
import { expect } from 'vitest';
import type { FailureStack } from '../../support/failure-stack.ts';
import type { BusEntry } from '../../support/faulty-bus.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

async function killedAround(stack: FailureStack, at: 'before' | 'after'): Promise<void> {
  const workload = new Workload(stack);
  await workload.insert(1);
  await expectInStep(workload, 1);
  const killed = Promise.withResolvers<{ readonly processes: number; readonly pending: number }>();
  const second = `"${workload.document(1)._id}"`;
  stack.bus.onPutEvents = async (entries, phase) => {
    if (phase !== at || !entries.some(({ detail }) => detail.includes(second))) return;
    stack.bus.onPutEvents = null;
    const { pending } = await workload.statuses();
    killed.resolve({ processes: await stack.functions.kill('publisher'), pending });
  };
  await workload.insert(4);
  const { processes, pending } = await killed.promise;
  expect(processes).toBeGreaterThan(0);
  expect(pending).toBeGreaterThan(0);
  await stack.functions.start('publisher');
  await expectInStep(workload, 5);
  const sends = stack.bus.taken.filter(({ detail }) => detail.includes(second)).length;
  // If the publisher was killed before the send, the proxy may have passed the send on or not. If
  // it was killed after the send, the next publisher certainly sent the entry again.
  expect(sends).toBeGreaterThan(at === 'after' ? 1 : 0);
}

export const busRows = {
  publisherKilledBeforeSend: (stack) => killedAround(stack, 'before'),

  publisherKilledAfterSend: (stack) => killedAround(stack, 'after'),

  busRefusesSome: async (stack) => {
    const workload = new Workload(stack);
    const refusedOnce = new Set<string>();
    stack.bus.decide = (entries) => {
      const isFresh = ({ eventIds }: BusEntry) => eventIds.some((eventId) => !refusedOnce.has(eventId));
      const indexes = entries.flatMap((entry, index) => (isFresh(entry) ? index : []));
      for (const eventId of entries.flatMap(({ eventIds }) => eventIds)) refusedOnce.add(eventId);
      return { fault: 'refuse', indexes: indexes.slice(0, Math.ceil(indexes.length / 2)) };
    };
    try {
      await workload.insert(10);
      await expectInStep(workload, 10);
    } finally {
      stack.bus.decide = null;
    }
    expect(await workload.attempts()).toBe(0);
  },

  busRefusesLong: async (stack) => {
    const workload = new Workload(stack);
    stack.bus.decide = (entries) => ({ fault: 'refuse', indexes: entries.map((_, index) => index) });
    try {
      await workload.insert(3);
      await until(
        'the sweep to publish them',
        async () => {
          await stack.functions.run('sweep');
          return (await workload.statuses()).pending === 0;
        },
        100,
      );
    } finally {
      stack.bus.decide = null;
    }
    await expectInStep(workload, 3);
    expect(await workload.attempts()).toBeGreaterThanOrEqual(3);
  },

  busAnswersFewer: async (stack) => {
    const workload = new Workload(stack);
    let shortAnswers = 0;
    stack.bus.decide = () => {
      shortAnswers += 1;
      return shortAnswers > 3 ? null : { fault: 'short-answer', missing: 1 };
    };
    try {
      await workload.insert(10);
      await expectInStep(workload, 10);
    } finally {
      stack.bus.decide = null;
    }
    expect(shortAnswers).toBeGreaterThan(3);
    expect(await workload.attempts()).toBe(0);
  },

  busUnreachable: async (stack) => {
    const workload = new Workload(stack);
    let refusedCalls = 0;
    stack.bus.decide = () => {
      refusedCalls += 1;
      return { fault: 'unreachable' };
    };
    try {
      await workload.insert(5);
      await until('the publisher to try again and again', () => refusedCalls > 10);
      expect(await workload.statuses()).toMatchObject({ pending: 5 });
    } finally {
      stack.bus.decide = null;
    }
    await expectInStep(workload, 5);
    expect(await workload.attempts()).toBe(0);
  },
} satisfies CrashRows;
