/** An event that ends the consumer's process every time: it must not take its neighbours with it, and must not be tried for ever. */
import { Int32, ObjectId } from 'mongodb';
import { expect } from 'vitest';
import { upsertEvent } from '../../outbox-event.ts';
import type { FailureStack } from '../failure-stack.ts';
import { buildPoisonousConsumer } from '../poisonous-consumer.ts';
import { Workload } from '../workload.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

const crashMaxTrials = 1;

async function poisoned(stack: FailureStack, effect: 'memory' | 'loop', lastWords: string): Promise<void> {
  const workload = new Workload(stack);
  const restore = await stack.functions.replaceCode('consumer', await buildPoisonousConsumer(stack.folder));
  await stack.functions.configure('consumer', {
    memoryMegabytes: 256,
    environment: { CRASH_MAX_TRIALS: String(crashMaxTrials) },
  });
  try {
    const poison = upsertEvent({ effect }, { aggregateType: 'poison', attempts: new Int32(0) });
    await stack.outbox.insertOne(poison);
    await workload.insert(5);
    const isDead = async () => (await stack.outbox.findOne({ _id: poison._id }))?.status === 'dead';
    await until('the event to be dead', isDead, 200);
    expect(await stack.outbox.findOne({ _id: poison._id })).toMatchObject({ error: { code: 'consumer-crashed' } });
    await expectInStep(workload, 5);
    expect(await stack.functions.logText('consumer')).toContain(lastWords);
    expect(await stack.functions.logLines('consumer')).toContainEqual(
      expect.objectContaining({ message: 'event dead', eventId: poison._id.toHexString(), code: 'consumer-crashed' }),
    );
    await until('the queue to be empty', async () => (await stack.countMessages('queue')) === 0);
    expect(await stack.db.collection('outboxTrials').countDocuments({ eventIds: new ObjectId(poison._id) })).toBe(0);
  } finally {
    await restore();
    await stack.functions.configure('consumer', { environment: { CRASH_MAX_TRIALS: '4' } });
  }
}

export const poisonRows = {
  eventEatsMemory: (stack) => poisoned(stack, 'memory', 'JavaScript heap out of memory'),
  eventLoops: (stack) => poisoned(stack, 'loop', 'Task timed out after'),
} satisfies CrashRows;
