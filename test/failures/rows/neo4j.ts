/**
 * Neo4j is down, hangs, or accepts no writes. Events wait in the outbox and messages in the queue,
 * and all events are applied when it is available again.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectId } from 'mongodb';
import { expect } from 'vitest';
import type { FailureStack } from '../../support/failure-stack.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { Workload } from '../../support/workload.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

/** Writing continues during the outage. Afterwards, every event is applied within a minute. */
async function throughOutage(
  stack: FailureStack,
  outage: { readonly seconds: number; readonly begin: () => Promise<void>; readonly end: () => Promise<void> },
): Promise<void> {
  const workload = new Workload(stack);
  await workload.insert(5);
  await expectInStep(workload, 5);
  const writing = workload.writeSteadily(5);
  try {
    await outage.begin();
    const until = performance.now() + outage.seconds * 1_000;
    while (performance.now() < until) {
      await sleep(1_000);
      expect((await workload.statuses()).dead).toBe(0);
    }
    expect((await workload.statuses()).pending).toBeGreaterThan(0);
  } finally {
    await outage.end();
    await writing.stop();
  }
  const events = (await workload.eventIds()).length;
  await expectInStep(workload, events, 60);
  expect(await stack.countMessages('deadLetterQueue')).toBe(0);
}

/** Resolves when an invocation of the consumer has failed as a whole, so that Lambda backs off. */
export async function untilConsumerFails(stack: FailureStack, failuresBefore: number): Promise<void> {
  await until('the consumer to fail', async () => (await countFailures(stack)) > failuresBefore);
}

/** Number of failed invocations of the consumer so far. */
export async function countFailures(stack: FailureStack): Promise<number> {
  return (await stack.functions.logText('consumer')).split('"errorType":"Fault"').length - 1;
}

export const neo4jRows = {
  neo4jDown: async (stack) => {
    const before = await countFailures(stack);
    await throughOutage(stack, {
      seconds: 60,
      begin: () => stack.neo4j.server.kill(),
      end: async () => {
        await untilConsumerFails(stack, before);
        await stack.neo4j.server.start();
      },
    });
  },

  neo4jHangs: async (stack) => {
    const before = await countFailures(stack);
    await throughOutage(stack, {
      seconds: 30,
      begin: async () => stack.neo4j.server.pause(),
      end: async () => {
        await untilConsumerFails(stack, before);
        stack.neo4j.server.resume();
      },
    });
  },

  neo4jReadOnly: async (stack) => {
    const before = await countFailures(stack);
    const restart = async (settings: readonly string[]) => {
      stack.neo4j.configure(settings);
      await stack.neo4j.server.stop();
      await stack.neo4j.server.start();
    };
    await throughOutage(stack, {
      seconds: 15,
      begin: () => restart(['server.databases.default_to_read_only=true']),
      end: async () => {
        await untilConsumerFails(stack, before);
        await restart([]);
      },
    });
  },

  neo4jDiskFull: async (stack) => {
    const before = await countFailures(stack);
    await throughOutage(stack, {
      seconds: 15,
      begin: async () => fillDisk(stack.neo4j.server.pid),
      end: async () => {
        await untilConsumerFails(stack, before);
        // As an operator does when there is space again: the database needs a restart.
        await stack.neo4j.server.kill();
        await stack.neo4j.server.start();
      },
    });
  },
  neo4jMemoryLimit: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(1);
    await expectInStep(workload, 1);
    const restart = async (settings: readonly string[]) => {
      stack.neo4j.configure(settings);
      await stack.neo4j.server.stop();
      await stack.neo4j.server.start();
    };
    await restart(['db.memory.transaction.max=8m']);
    try {
      const text = 'x'.repeat(2_000);
      const wide = (name: string, count: number) => {
        const nodes = Array.from({ length: count }, (_, place) => {
          return { label: 'Wide', key: { id: `${name}-${place}` }, properties: { text } };
        });
        return upsertEvent({ nodes, relationships: [] }, { aggregateId: name });
      };
      const huge = wide('huge', 5_000);
      const events = Array.from({ length: 100 }, (_, index) => wide(`wide-${index}`, 40));
      await stack.outbox.insertMany([...events.slice(0, 50), huge, ...events.slice(50)]);
      const settled = async (status: string, ids: readonly ObjectId[]) =>
        (await stack.outbox.countDocuments({ _id: { $in: [...ids] }, status })) === ids.length;
      const ids = events.map(({ _id }) => _id);
      await until('the events to be applied', () => settled('processed', ids), 120);
      await until('the aggregate to be dead', () => settled('dead', [huge._id]), 120);
      expect(await stack.outbox.findOne({ _id: huge._id })).toMatchObject({ error: { code: 'transaction-too-large' } });
      await stack.outbox.deleteMany({ _id: { $in: [...ids, huge._id] } });
    } finally {
      await restart([]);
    }
  },

  foreignLock: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(20);
    await expectInStep(workload, 20);
    const session = stack.graph.session();
    const transaction = session.beginTransaction();
    try {
      await transaction.run(`MATCH (n:${workload.label} {id: $id}) SET n.theirs = true`, {
        id: workload.document(7)._id,
      });
      await workload.update(1);
      await until('the neighbours to be applied', async () => (await workload.statuses()).pending === 1, 120);
      expect(await workload.statuses()).toMatchObject({ pending: 1, dead: 0 });
      await until('the log to name the lock', async () =>
        (await stack.functions.logText('consumer')).includes('SHOW TRANSACTIONS'),
      );
    } finally {
      await transaction.rollback();
      await session.close();
    }
    await expectInStep(workload, 40);
    expect(await stack.countMessages('deadLetterQueue')).toBe(0);
  },

  // The worse order: the parameter changes only after Neo4j has refused the consumer.
  neo4jPasswordChanged: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(5);
    await expectInStep(workload, 5);
    const changePassword = (from: string, to: string) =>
      stack.graph.executeQuery(
        'ALTER CURRENT USER SET PASSWORD FROM $from TO $to',
        { from, to },
        { database: 'system' },
      );
    const changed = randomUUID();
    const refused = async () =>
      (await stack.functions.logText('consumer')).split('refuses the user or its password').length - 1;
    const refusedBefore = await refused();
    await changePassword(stack.neo4jPassword, changed);
    try {
      // Open connections stay open; a new connection needs the new password.
      stack.neo4jProxy.cutAll();
      await workload.insert(5);
      await until('the consumer to be refused', async () => (await refused()) > refusedBefore);
      expect(await workload.statuses()).toMatchObject({ pending: 5, dead: 0 });
      await stack.giveConsumerPassword(changed);
      expect(await workload.untilSettled()).toStrictEqual({ pending: 0, processed: 10, dead: 0 });
    } finally {
      await changePassword(changed, stack.neo4jPassword);
      await stack.giveConsumerPassword(stack.neo4jPassword);
      stack.neo4jProxy.cutAll();
    }
    await workload.insert(1);
    await expectInStep(workload, 11);
    expect(await stack.countMessages('deadLetterQueue')).toBe(0);
    expect(await stack.functions.logText('consumer')).not.toContain(changed);
  },
} satisfies CrashRows;

/**
 * Limits the size of the files that the process can write: to the process, the disk is full. The
 * limit ends with the process.
 *
 * https://man7.org/linux/man-pages/man1/prlimit.1.html
 */
function fillDisk(pid: number): void {
  execFileSync('prlimit', ['--pid', String(pid), '--fsize=8192']);
}
