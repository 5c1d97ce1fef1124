/**
 * A poison message crashes the consumer's process on every delivery. Its neighbours must be
 * applied, and it must not be retried forever.
 */
import path from 'node:path';
import { Int32, ObjectId } from 'mongodb';
import { expect } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readOutboxId } from '../../../lib/set-up/mongodb-identity.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { startInBackground } from '../../../tools/local/children.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { type FailureStack, neo4jUser } from '../../support/failure-stack.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { shareOutboxId } from '../../support/outbox-id.ts';
import { Workload } from '../../support/workload.ts';
import { buildPoisonousConsumer } from '../poisonous-builds.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

const crashMaxTrials = 1;

async function poisoned(stack: FailureStack, effect: 'memory' | 'loop', lastLog: string): Promise<void> {
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
    expect(await stack.functions.logText('consumer')).toContain(lastLog);
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

/** The same for the resident worker, which a container platform restarts after each crash. */
export async function poisonedWorker(stack: FailureStack): Promise<void> {
  const db = stack.client.db('poisoned');
  const outbox = db.collection(outboxCollection);
  const neo4jUri = stack.neo4j.uri;
  // The worker uses the graph of the stack.
  await shareOutboxId(db, await readOutboxId(stack.db));
  await setUpOutbox(db, { processedRetentionSeconds: 7 * 86_400 });
  const poison = upsertEvent({ effect: 'memory' }, { aggregateType: 'poison' });
  const neighbours = Array.from({ length: 5 }, () => upsertEvent({ nodes: [], relationships: [] }));
  await outbox.insertMany([poison, ...neighbours]);

  let ends = 0;
  let stopping = false;
  const env = {
    MONGODB_URI: stack.mongodb.uri,
    MONGODB_DATABASE: 'poisoned',
    NEO4J_URI: neo4jUri,
    NEO4J_USERNAME: neo4jUser,
    NEO4J_PASSWORD: stack.neo4jPassword,
    CRASH_MAX_TRIALS: '1',
    OUTGRAPH_CATALOG: path.join(import.meta.dirname, '../poisonous-catalog.ts'),
  };
  const start = () =>
    startInBackground({
      name: 'worker',
      command: process.execPath,
      args: ['--max-old-space-size=256', path.join(projectRoot, 'cli/outgraph.ts'), 'worker', '--port', '0'],
      cwd: stack.folder,
      env: { ...env, PUBLISHER_LEASE_SECONDS: '1' },
      logFile: path.join(stack.logsFolder, 'worker.log'),
    });
  let worker = start();
  const platform = (async () => {
    while (!stopping) {
      await worker.ended.catch(() => undefined);
      if (stopping) return;
      ends += 1;
      worker = start();
    }
  })();
  try {
    const isSettled = async () =>
      (await outbox.countDocuments({ status: 'pending', aggregateType: { $ne: 'outgraph-canary' } })) === 0;
    await until('every event to be settled', isSettled, 200);
    expect(await outbox.findOne({ _id: poison._id })).toMatchObject({ error: { code: 'consumer-crashed' } });
    expect(await outbox.countDocuments({ status: 'processed', aggregateType: 'graph' })).toBe(neighbours.length);
    expect(ends).toBeGreaterThan(1);
  } finally {
    stopping = true;
    await worker.stop();
    await platform;
    await db.dropDatabase();
  }
}
