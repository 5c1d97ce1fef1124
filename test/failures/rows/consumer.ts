/**
 * The consumer is killed before, during and after its transaction, and between its last two steps.
 * The queue redelivers the message.
 */
import { expect } from 'vitest';
import type { FailureStack } from '../../support/failure-stack.ts';
import { mongodbCommand } from '../../support/mongodb-messages.ts';
import { neo4jBegin, neo4jCommit, type Stop } from '../../support/tcp-proxy.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep } from './row.ts';

/** Kills the consumer at the stop, and cuts the connection. */
function killConsumer(stack: FailureStack, before: Stop['before'], at: Stop['at']): Stop {
  return {
    at,
    before,
    act: async (): Promise<'cut'> => {
      expect(await stack.functions.kill('consumer')).toBe(1);
      return 'cut';
    },
  };
}

async function onceKilledInNeo4j(stack: FailureStack, before: Stop['before'], at: Stop['at']): Promise<void> {
  const workload = new Workload(stack);
  await workload.insert(3);
  await expectInStep(workload, 3);
  const killed = stack.neo4jProxy.stopOnce(killConsumer(stack, before, at));
  await workload.update(1);
  await killed;
  expect((await workload.statuses()).pending).toBeGreaterThan(0);
  await expectInStep(workload, 6);
}

export const consumerRows = {
  consumerKilledBefore: (stack) => onceKilledInNeo4j(stack, 'request', neo4jBegin),

  consumerKilledDuring: (stack) => onceKilledInNeo4j(stack, 'request', neo4jCommit),

  consumerKilledAfter: (stack) => onceKilledInNeo4j(stack, 'reply', neo4jCommit),

  consumerKilledLast: async (stack) => {
    const workload = new Workload(stack);
    const acknowledges = mongodbCommand('update', 'outbox', 'processedAt');
    const killed = stack.stopMongodbOnce(killConsumer(stack, 'reply', acknowledges));
    await workload.insert(1);
    await killed;
    expect(await workload.statuses()).toMatchObject({ processed: 1 });
    await expectInStep(workload, 1);
    await expect.poll(() => stack.countMessages('queue'), { timeout: 60_000 }).toBe(0);
  },

  ambiguousCommit: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(3);
    await expectInStep(workload, 3);
    const cut = stack.neo4jProxy.stopOnce({ at: neo4jCommit, before: 'reply', act: () => 'cut' });
    await workload.update(1);
    await cut;
    await expectInStep(workload, 6);
  },
} satisfies CrashRows;
