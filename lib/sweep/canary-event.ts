/**
 * The canary: an event of the sweep's own that takes the way of every other event, so that the way itself is measured also when nobody writes. It lists nothing:
 * all that it leaves in Neo4j is its registry node.
 */
import type { Position } from '../contract/position.ts';

/** The one aggregate of all canaries; its type is kept for outgraph itself. */
export const canaryAggregate = { aggregateType: 'outgraph-canary', aggregateId: 'sweep' } as const;

/** A canary as it stands in the outbox; `processedAt` is null until it has come through. */
export interface Canary {
  readonly position: Position;
  readonly createdAt: Date;
  readonly processedAt: Date | null;
}

/** The canaries that have not come through. */
export interface WaitingCanaries {
  readonly pending: number;
  /** When the oldest of them was written, pending or dead. */
  readonly oldest: Date | null;
}
