/** Keeps every publisher from publishing, as if the publisher that holds the lease had stalled. */

import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { acquireLease, type Checkpoint, releaseLease } from '../../../lib/publisher/mongodb-lease.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import { until } from './row.ts';

export const publisherCheckpoint = 'publisher/0';

/**
 * Takes over the lease, and returns a function that releases it. Kills the publisher that held it,
 * so that it cannot finish its current send.
 */
export async function holdLease(stack: FailureStack): Promise<() => Promise<void>> {
  const checkpoints = stack.db.collection<Checkpoint>(checkpointCollection);
  const request = { id: publisherCheckpoint, owner: 'test', leaseSeconds: 3_600 };
  let lease: Awaited<ReturnType<typeof acquireLease>> = null;
  await until('the lease', async () => {
    // On each attempt: the publisher that holds the lease may renew it in between.
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
