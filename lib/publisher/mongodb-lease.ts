/**
 * The publisher's lease and checkpoint: one document with who may publish, until when, and where to
 * continue. Every write proves by owner and fence that the lease is still held, so a publisher that
 * was paused can never move the checkpoint back. All times are the server's.
 */
import { randomUUID } from 'node:crypto';
import { type Collection, type Document, Timestamp } from 'mongodb';
import { fromPosition, type Position, toPosition } from '../contract/position.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';
import type { PublishPorts } from './ports.ts';
import type { PublishProgress } from './progress.ts';

/** Where a change stream resumes; opaque. */
export type ResumeToken = Readonly<Record<string, unknown>>;

/** The checkpoint document. */
export interface Checkpoint {
  readonly _id: string;
  readonly owner: string | null;
  /** Increases with every change of owner. */
  readonly fence: number;
  readonly leaseExpiresAt: Date;
  /**
   * When a publisher last took the lease or saved its progress. The age of this time is the
   * publishers' silence.
   */
  readonly updatedAt?: Date;
  /** Where the change stream resumes; null until a stream has returned its first token. */
  readonly resumeToken: ResumeToken | null;
  /** Without a token, the tail is everything that commits after this time. */
  readonly tailAfter?: Timestamp | null;
  /** The pending events that are still to be published by index. */
  readonly backlog?: { readonly until: Timestamp; readonly after: Timestamp | null } | null;
}

/** A lease that this publisher holds; `progress` is null on the first start. */
export interface Lease {
  readonly id: string;
  readonly owner: string;
  readonly fence: number;
  readonly progress: PublishProgress<ResumeToken> | null;
}

export interface LeaseRequest {
  /** The checkpoint's id: `publisher/0`. */
  readonly id: string;
  /** Unique to this attempt. */
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** Creates the publisher's port to a lease. */
export type OpenLease = (
  checkpoints: Collection<Checkpoint>,
  leaseSeconds: number,
) => PublishPorts<ResumeToken>['acquireLease'];

/**
 * How often a quiet or slowly sending publisher renews its lease, unless a third of the lease is
 * shorter.
 */
const renewMillis = 2_000;

const majority = { writeConcern: { w: 'majority' } } as const;

/** A lease that one publisher holds at a time. The next one continues from its progress. */
export function exclusiveLease(id: string): OpenLease {
  return (checkpoints, leaseSeconds) => async () => {
    const lease = await acquireLease(checkpoints, { id, owner: randomUUID(), leaseSeconds });
    if (lease === null) return null;
    return {
      progress: lease.progress,
      renewMillis: Math.min(renewMillis, (leaseSeconds * 1000) / 3),
      save: (progress) => saveCheckpoint(checkpoints, lease, leaseSeconds, progress),
      release: () => releaseLease(checkpoints, lease),
    };
  };
}

/** Takes the lease if it is free; returns null while another publisher holds it. */
export async function acquireLease(checkpoints: Collection<Checkpoint>, request: LeaseRequest): Promise<Lease | null> {
  const { id, owner, leaseSeconds } = request;
  const fresh = { owner: null, fence: 0, leaseExpiresAt: new Date(0), resumeToken: null };
  const taken = await withMongodbFaults(async () => {
    await checkpoints.updateOne({ _id: id }, { $setOnInsert: fresh }, { upsert: true, ...majority });
    return checkpoints.findOneAndUpdate(
      { _id: id, $expr: { $lt: ['$leaseExpiresAt', '$$NOW'] } },
      [{ $set: { owner, fence: { $add: ['$fence', 1] }, ...renewed(leaseSeconds) } }],
      { returnDocument: 'after', ...majority },
    );
  });
  return taken === null ? null : { id, owner, fence: taken.fence, progress: toProgress(taken) };
}

/**
 * Saves the progress and renews the lease. Returns false and writes nothing if another publisher
 * has the lease.
 */
export async function saveCheckpoint(
  checkpoints: Collection<Checkpoint>,
  lease: Lease,
  leaseSeconds: number,
  { tail, backlog }: PublishProgress<ResumeToken>,
): Promise<boolean> {
  const progress = {
    resumeToken: 'resumeToken' in tail ? tail.resumeToken : null,
    tailAfter: 'after' in tail ? toTimestamp(tail.after) : null,
    backlog: backlog && { until: toTimestamp(backlog.until), after: backlog.after && toTimestamp(backlog.after) },
  };
  // A literal, because a token is opaque: nothing in it may be evaluated as an expression.
  const literal = Object.entries(progress).map(([name, $literal]) => [name, { $literal }]);
  const update = [{ $set: { ...Object.fromEntries(literal), ...renewed(leaseSeconds) } }];
  const result = await withMongodbFaults(() => checkpoints.updateOne(held(lease), update, majority));
  return result.matchedCount === 1;
}

/** Releases the lease, so that the next publisher does not wait for it to expire. */
export async function releaseLease(checkpoints: Collection<Checkpoint>, lease: Lease): Promise<void> {
  await withMongodbFaults(() =>
    checkpoints.updateOne(held(lease), { $set: { owner: null, leaseExpiresAt: new Date(0) } }, majority),
  );
}

function held(lease: Lease): { _id: string; owner: string; fence: number } {
  return { _id: lease.id, owner: lease.owner, fence: lease.fence };
}

function renewed(leaseSeconds: number): Document {
  return { leaseExpiresAt: { $add: ['$$NOW', leaseSeconds * 1000] }, updatedAt: '$$NOW' };
}

function toProgress({ resumeToken, tailAfter, backlog }: Checkpoint): PublishProgress<ResumeToken> | null {
  const remaining = backlog
    ? { until: toPosition(backlog.until), after: backlog.after && toPosition(backlog.after) }
    : null;
  if (resumeToken !== null) return { tail: { resumeToken }, backlog: remaining };
  return tailAfter ? { tail: { after: toPosition(tailAfter) }, backlog: remaining } : null;
}

function toTimestamp(position: Position): Timestamp {
  return new Timestamp(fromPosition(position));
}
