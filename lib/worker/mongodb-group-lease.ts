/**
 * The lease that all live workers of an outbox hold together: one document with an entry for each
 * worker, which expires unless the worker renews it. A renewal removes expired entries and returns
 * the live ones, in one write. All times are the server's.
 *
 * For a worker of a version that knows no group, the document is a lease that another worker holds;
 * and while such a worker holds it, the group waits.
 */
import type { Collection, Document } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { Checkpoint, OpenLease } from '../publisher/mongodb-lease.ts';
import type { Share } from './share.ts';

/** The id of the lease. */
export const groupLease = 'worker/0';

/** The owner in the lease's document while the group holds it. */
const group = 'workers';

/** The lease's document, with its live workers. */
export interface GroupLease extends Checkpoint {
  readonly members?: readonly { readonly id: string; readonly expiresAt: Date }[];
}

/** How often a worker renews its entry, unless a third of the lease is shorter. */
const renewMillis = 1_000;

const majority = { writeConcern: { w: 'majority' } } as const;

/**
 * Opens the group's lease for a worker's publisher. There is no progress to continue from, because
 * a worker's queue is lost with its process: the publisher publishes everything that is pending in
 * its share. It must do so again after a worker has left, so the lease then counts as lost.
 *
 * A publisher that fails keeps its entry until it expires: it will try again soon, and if it left,
 * the others would read everything that is pending each time.
 *
 * @param isStopping whether the worker stops: only then does it leave the group.
 */
export function joinGroup(share: Share, isStopping: () => boolean): OpenLease {
  return (checkpoints, leaseSeconds) => {
    const leases = checkpoints as unknown as Collection<GroupLease>;
    const leaseMillis = leaseSeconds * 1_000;
    const renewEvery = Math.min(renewMillis, leaseMillis / 3);
    return async () => {
      await createLease(leases);
      let renewedAt = performance.now();
      const members = await renewMember(leases, share.workerId, leaseMillis);
      if (members === null) return null;
      share.adopt(members);
      return {
        progress: null,
        renewMillis: renewEvery,
        save: async () => {
          // The publisher saves after each batch, but there is no progress to write.
          if (performance.now() - renewedAt < renewEvery) return true;
          renewedAt = performance.now();
          const live = await renewMember(leases, share.workerId, leaseMillis);
          return live !== null && share.adopt(live);
        },
        release: async () => {
          if (isStopping()) await removeMember(leases, share.workerId);
        },
      };
    };
  };
}

async function createLease(leases: Collection<GroupLease>): Promise<void> {
  const fresh = { owner: null, fence: 0, leaseExpiresAt: new Date(0), resumeToken: null };
  await withMongodbFaults(() =>
    leases.updateOne({ _id: groupLease }, { $setOnInsert: fresh }, { upsert: true, ...majority }),
  );
}

/**
 * Renews a worker's entry and returns the ids of all live workers. Returns null while a worker that
 * is in no group holds the lease.
 */
async function renewMember(
  leases: Collection<GroupLease>,
  id: string,
  leaseMillis: number,
): Promise<readonly string[] | null> {
  const expiresAt = { $add: ['$$NOW', leaseMillis] };
  const renewed = {
    owner: group,
    fence: { $cond: [{ $eq: ['$owner', group] }, '$fence', { $add: ['$fence', 1] }] },
    leaseExpiresAt: expiresAt,
    updatedAt: '$$NOW',
    // No worker continues from a place in the stream.
    resumeToken: null,
    tailAfter: null,
    backlog: null,
    members: { $concatArrays: [membersWithout(id), [{ id, expiresAt }]] },
  };
  const free = { $expr: { $lt: ['$leaseExpiresAt', '$$NOW'] } };
  const lease = await withMongodbFaults(() =>
    leases.findOneAndUpdate({ _id: groupLease, $or: [{ owner: group }, free] }, [{ $set: renewed }], {
      returnDocument: 'after',
      ...majority,
    }),
  );
  return lease?.members?.map((member) => member.id) ?? null;
}

/** Removes a worker's entry; the last one releases the lease. */
async function removeMember(leases: Collection<GroupLease>, id: string): Promise<void> {
  const isEmpty = { $eq: ['$members', []] };
  await withMongodbFaults(() =>
    leases.updateOne(
      { _id: groupLease, owner: group },
      [
        { $set: { members: membersWithout(id) } },
        {
          $set: {
            owner: { $cond: [isEmpty, null, '$owner'] },
            leaseExpiresAt: { $cond: [isEmpty, new Date(0), '$leaseExpiresAt'] },
          },
        },
      ],
      majority,
    ),
  );
}

/** The live entries, without one worker's. */
function membersWithout(id: string): Document {
  const isOther = { $and: [{ $ne: ['$$this.id', id] }, { $gt: ['$$this.expiresAt', '$$NOW'] }] };
  return { $filter: { input: { $ifNull: ['$members', []] }, cond: isOther } };
}
