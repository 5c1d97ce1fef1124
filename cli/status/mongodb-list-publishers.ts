/** The publishers' checkpoints and leases, for an operator. */
import type { Collection, Document } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** One checkpoint. */
export interface PublisherCheckpoint {
  readonly id: string;
  /** Who took the lease last; it may have run out. */
  readonly owner: string | null;
  readonly leaseExpiresAt: Date;
  readonly updatedAt: Date | null;
  readonly hasBacklog: boolean;
}

/** There is one for each publisher or worker. */
const mostPublishers = 100;

/**
 * In the order of their ids. The collection has a few documents, and needs no index for this.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listPublishers(checkpoints: Collection<Document>): Promise<readonly PublisherCheckpoint[]> {
  const found = await withMongodbFaults(() =>
    checkpoints
      // Canaries and reprojections have notes of theirs in the same collection.
      .find({ leaseExpiresAt: { $type: 'date' } })
      .project({ owner: 1, leaseExpiresAt: 1, updatedAt: 1, backlog: 1 })
      .sort({ _id: 1 })
      .limit(mostPublishers)
      .toArray(),
  );
  return found.map(({ _id, owner, leaseExpiresAt, updatedAt, backlog }) => ({
    id: String(_id),
    owner: owner ?? null,
    leaseExpiresAt,
    updatedAt: updatedAt ?? null,
    hasBacklog: (backlog ?? null) !== null,
  }));
}
