/**
 * The primary of three members is killed at one exact message of each part, while others write.
 * After the election, the driver or the queue retries.
 */
import { expect } from 'vitest';
import type { RestartableServer } from '../../../tools/local/restartable-server.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import { mongodbCommand } from '../../support/mongodb-messages.ts';
import type { Stop } from '../../support/tcp-proxy.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

/**
 * Kills the primary at a message, and restarts it when another primary is elected. Documents are
 * written throughout.
 */
async function killPrimaryAt(
  stack: FailureStack,
  stop: Omit<Stop, 'act'>,
  provoke: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const workload = new Workload(stack);
  await workload.insert(5);
  await expectInStep(workload, 5);
  const primary = await stack.mongodb.primary();
  const killed = stack.stopMongodbOnce({
    ...stop,
    act: async (): Promise<'cut'> => {
      await primary.kill();
      return 'cut';
    },
  });
  const writing = workload.writeSteadily(10);
  try {
    await Promise.all([provoke(), killed]);
    expect(await untilElected(stack, primary)).not.toBe(primary);
  } finally {
    await primary.start();
    await stack.mongodb.untilHealthy();
    await writing.stop();
  }
  const events = (await workload.eventIds()).length;
  expect(events).toBeGreaterThan(5);
  await expectInStep(workload, events);
}

async function untilElected(stack: FailureStack, killed: RestartableServer): Promise<RestartableServer> {
  await until('another primary', async () => (await stack.mongodb.primary()) !== killed);
  return stack.mongodb.primary();
}

export const mongodbRows = {
  primaryKilledWriter: (stack) =>
    killPrimaryAt(stack, { at: (bytes) => bytes.includes('commitTransaction'), before: 'reply' }),

  primaryKilledPublisher: (stack) =>
    killPrimaryAt(stack, { at: mongodbCommand('collection', 'outbox', 'getMore'), before: 'request' }),

  primaryKilledFetch: (stack) =>
    killPrimaryAt(stack, { at: mongodbCommand('find', 'outbox', '$in'), before: 'request' }),

  primaryKilledAcknowledge: (stack) =>
    killPrimaryAt(stack, { at: mongodbCommand('update', 'outbox', 'processedAt'), before: 'request' }),

  primaryKilledSweep: (stack) =>
    killPrimaryAt(stack, { at: mongodbCommand('find', 'outbox', 'nextAttemptAt'), before: 'request' }, () =>
      stack.functions.runWhenFree('sweep'),
    ),
} satisfies CrashRows;
