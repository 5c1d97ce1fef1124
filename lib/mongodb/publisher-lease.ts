/**
 * The publisher's lease and checkpoint: one document says who may publish, until when, and where to go on. Every write proves by owner and
 * fence that the lease is still held, so that a publisher that was paused can never move the checkpoint back. All times are the server's.
 */
import type { Collection, Document } from 'mongodb';
import { withMongodbFaults } from './translate-error.ts';

/** Where a change stream goes on; opaque. */
export type ResumeToken = Readonly<Record<string, unknown>>;

/** The checkpoint document. */
export interface Checkpoint {
  readonly _id: string;
  readonly owner: string | null;
  /** Goes up with every change of owner. */
  readonly fence: number;
  readonly leaseExpiresAt: Date;
  readonly resumeToken: ResumeToken | null;
}

/** A lease that is held; `resumeToken` is null on the first start. */
export interface Lease {
  readonly id: string;
  readonly owner: string;
  readonly fence: number;
  readonly resumeToken: ResumeToken | null;
}

export interface LeaseRequest {
  /** The checkpoint's id: `publisher/0`. */
  readonly id: string;
  /** Unique to this invocation. */
  readonly owner: string;
  readonly leaseSeconds: number;
}

const majority = { writeConcern: { w: 'majority' } } as const;

/** Takes the lease if nobody holds it; null while somebody does. */
export async function acquireLease(checkpoints: Collection<Checkpoint>, request: LeaseRequest): Promise<Lease | null> {
  const { id, owner, leaseSeconds } = request;
  const fresh = { owner: null, fence: 0, leaseExpiresAt: new Date(0), resumeToken: null };
  const taken = await withMongodbFaults(async () => {
    await checkpoints.updateOne({ _id: id }, { $setOnInsert: fresh }, { upsert: true, ...majority });
    return checkpoints.findOneAndUpdate(
      { _id: id, $expr: { $lt: ['$leaseExpiresAt', '$$NOW'] } },
      [{ $set: { owner, fence: { $add: ['$fence', 1] }, leaseExpiresAt: expiry(leaseSeconds) } }],
      { returnDocument: 'after', ...majority },
    );
  });
  return taken === null ? null : { id, owner, fence: taken.fence, resumeToken: taken.resumeToken };
}

/** Saves where to go on, and renews the lease. False: another publisher has it, and nothing was written. */
export async function saveCheckpoint(
  checkpoints: Collection<Checkpoint>,
  lease: Lease,
  leaseSeconds: number,
  resumeToken: ResumeToken | null,
): Promise<boolean> {
  const token = resumeToken === null ? {} : { resumeToken: { $literal: resumeToken } };
  const update: Document[] = [{ $set: { ...token, leaseExpiresAt: expiry(leaseSeconds), updatedAt: '$$NOW' } }];
  const result = await withMongodbFaults(() => checkpoints.updateOne(held(lease), update, majority));
  return result.matchedCount === 1;
}

/** Gives the lease back, so that the next publisher need not wait for its end. */
export async function releaseLease(checkpoints: Collection<Checkpoint>, lease: Lease): Promise<void> {
  await withMongodbFaults(() =>
    checkpoints.updateOne(held(lease), { $set: { owner: null, leaseExpiresAt: new Date(0) } }, majority),
  );
}

function held(lease: Lease): { _id: string; owner: string; fence: number } {
  return { _id: lease.id, owner: lease.owner, fence: lease.fence };
}

function expiry(leaseSeconds: number): Document {
  return { $add: ['$$NOW', leaseSeconds * 1000] };
}
