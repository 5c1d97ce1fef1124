/** Keeps every publisher out: a fault that lasts, as if the one that has the lease had stopped for long. */

import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { acquireLease, type Checkpoint, releaseLease } from '../../../lib/publisher/mongodb-lease.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import { until } from './row.ts';

export const publisherCheckpoint = 'publisher/0';

/**
 * Takes the lease as soon as it is free; returns how to give it back. The publisher that had it is killed, so that it
 * cannot finish what it is at.
 */
export async function holdLease(stack: FailureStack): Promise<() => Promise<void>> {
  const checkpoints = stack.db.collection<Checkpoint>(checkpointCollection);
  const request = { id: publisherCheckpoint, owner: 'test', leaseSeconds: 3_600 };
  let lease: Awaited<ReturnType<typeof acquireLease>> = null;
  await until('the lease', async () => {
    // Each time: the publisher that has it may renew it in between.
    await checkpoints.updateOne({ _id: publisherCheckpoint }, { $set: { leaseExpiresAt: new Date(0) } });
    lease = await acquireLease(checkpoints, request);
    return lease !== null;
  });
  await stack.functions.kill('publisher');
  return async () => {
    if (lease !== null) await releaseLease(checkpoints, lease);
    await stack.functions.start('publisher');
  };
}
