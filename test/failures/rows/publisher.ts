/**
 * Two publishers at once, and change streams that cannot be resumed. After such a loss, the
 * publisher publishes every pending event and continues from there.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import type { Checkpoint } from '../../../lib/publisher/mongodb-lease.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import { mongodbCommand } from '../../support/mongodb-messages.ts';
import { Workload } from '../../support/workload.ts';
import { holdLease, publisherCheckpoint } from './hold-lease.ts';
import { type CrashRows, expectInStep, until } from './row.ts';

const checkpoints = (stack: FailureStack) => stack.db.collection<Checkpoint>(checkpointCollection);

/** Number of times the publisher emitted this metric with a value above zero. */
async function counted(stack: FailureStack, metric: string): Promise<number> {
  const lines = await stack.functions.logLines('publisher');
  return lines.filter((line) => '_aws' in line && Number(line[metric] ?? 0) > 0).length;
}

/**
 * Writes events and breaks the stream while no publisher runs. When the publisher is back, it
 * publishes all of them.
 */
async function streamLost(
  stack: FailureStack,
  metric: string,
  lose: (stack: FailureStack) => Promise<unknown>,
): Promise<void> {
  const before = await counted(stack, metric);
  const workload = new Workload(stack);
  await workload.insert(2);
  await expectInStep(workload, 2);
  const giveLease = await holdLease(stack);
  try {
    await workload.update(1);
    await lose(stack);
  } finally {
    await giveLease();
  }
  await expectInStep(workload, 4);
  await workload.insert(1);
  await expectInStep(workload, 5);
  await until('the metric', async () => (await counted(stack, metric)) === before + 1);
}

/** Writes to another database until the oldest entry of the oplog is newer than this call. */
async function rollOplogOver({ client }: FailureStack): Promise<void> {
  const oplog = client.db('local').collection('oplog.rs');
  const [newest] = await oplog.find().sort({ $natural: -1 }).limit(1).toArray();
  const filler = client.db('elsewhere').collection('filler');
  await until('the oplog to roll over', async () => {
    await filler.insertMany(Array.from({ length: 8 }, () => ({ bytes: randomBytes(256 * 1024) })));
    const [oldest] = await oplog.find().sort({ $natural: 1 }).limit(1).toArray();
    return oldest?.ts.greaterThan(newest?.ts) === true;
  });
}

/**
 * Makes the server reject the next change stream that the publisher opens, once. The fail point is
 * set while the command waits in the proxy. If it were set earlier, an aggregation of the sweep or
 * the consumer on the outbox could trigger it.
 */
async function failStreamOnce(stack: FailureStack, errorCode: number): Promise<void> {
  const namespace = `outgraph.${outboxCollection}`;
  const data = { failCommands: ['aggregate'], errorCode, appName: 'outgraph', namespace };
  void stack.stopMongodbOnce({
    at: mongodbCommand('aggregate', outboxCollection, '$changeStream'),
    before: 'request',
    act: async (): Promise<'pass'> => {
      await stack.client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
      return 'pass';
    },
  });
}

export const publisherRows = {
  twoPublishers: async (stack) => {
    const workload = new Workload(stack);
    await workload.insert(1);
    await expectInStep(workload, 1);
    const states: { readonly fence: number; readonly token: string }[] = [];
    const watch = checkpoints(stack).watch([{ $match: { 'documentKey._id': publisherCheckpoint } }], {
      fullDocument: 'updateLookup',
    });
    watch.on('change', (change) => {
      const state = 'fullDocument' in change ? change.fullDocument : undefined;
      states.push({ fence: state?.fence ?? 0, token: String(state?.resumeToken?._data ?? '') });
    });
    const paused = await stack.functions.pause('publisher');
    try {
      expect(paused.length).toBeGreaterThan(0);
      await workload.insert(4);
      await stack.functions.start('publisher');
      await expectInStep(workload, 5);
    } finally {
      stack.functions.resume(paused);
    }
    const isFencedOff = async () =>
      (await stack.functions.logText('publisher')).includes('another publisher took over');
    await until('the late one to be fenced off', isFencedOff);
    await workload.insert(2);
    await expectInStep(workload, 7);
    await watch.close();
    expect(states.length).toBeGreaterThan(1);
    expect(states).toStrictEqual([...states].sort((left, right) => left.fence - right.fence));
    // Resume tokens sort by cluster time.
    expect(states.map(({ token }) => token)).toStrictEqual(states.map(({ token }) => token).sort());
  },

  oplogRolledOver: (stack) => streamLost(stack, 'HistoryLost', rollOplogOver),

  tokenInvalid: (stack) => streamLost(stack, 'HistoryLost', () => failStreamOnce(stack, 260)),

  outboxRenewed: (stack) =>
    streamLost(stack, 'HistoryLost', async ({ db }) => {
      const kept = await db.collection(outboxCollection).find().toArray();
      await db.collection(outboxCollection).drop();
      await setUpOutbox(db, { processedRetentionSeconds: 7 * 86_400 });
      await db.collection(outboxCollection).insertMany(kept);
    }),

  eventTooLarge: (stack) => streamLost(stack, 'ChangeEventsTooLarge', () => failStreamOnce(stack, 10_334)),
} satisfies CrashRows;
