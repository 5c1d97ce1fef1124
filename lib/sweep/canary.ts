/**
 * The canary: an event of the sweep's own that takes the way of every other event, so that the way itself is measured
 * also when nobody writes. It lists nothing: all that it leaves in Neo4j is its registry node. This step sends one, and
 * reports how long the earlier ones took, or have been waiting.
 */

import type { Position } from '../contract/position.ts';

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

/** What the canary needs. */
export interface CanaryPorts {
  /** The canary that was written last, as it is now; null before the first. */
  readonly readLastCanary: () => Promise<Canary | null>;
  /** Those that have not come through, counted no further than `limit`. */
  readonly readWaitingCanaries: (limit: number) => Promise<WaitingCanaries>;
  /** Marks those before a position processed: one of a later position has come through. */
  readonly settleCanariesBefore: (position: Position) => Promise<number>;
  readonly writeCanary: (createdAt: Date) => Promise<void>;
}

/** No further canary is written while so many are pending: an outage leaves ten of them, not thousands. */
export const maxWaitingCanaries = 10;

/**
 * Writes a canary, and returns the lag in milliseconds: of the newest one that has come through, or, while one waits,
 * the age of the oldest that does. Null when there is nothing to tell yet.
 *
 * One whose message got lost, or that is dead, waits until a later one has come through: then what `processed` means is
 * true of it, and it is settled.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function sendCanary(ports: CanaryPorts, now: Date): Promise<number | null> {
  const last = await ports.readLastCanary();
  if (last !== null && last.processedAt !== null) await ports.settleCanariesBefore(last.position);
  const waiting = await ports.readWaitingCanaries(maxWaitingCanaries);
  if (waiting.pending < maxWaitingCanaries) await ports.writeCanary(now);
  if (waiting.oldest !== null) return millisBetween(waiting.oldest, now);
  return last === null || last.processedAt === null ? null : millisBetween(last.createdAt, last.processedAt);
}

function millisBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime());
}
