/**
 * The canary is an event of the sweep that takes the same path as every other event, so that the
 * path is measured even if no writer is active. Its subgraph is empty: in Neo4j it leaves only its
 * registry node. This step sends a canary, and reports how long earlier ones took or have been
 * waiting.
 */

import type { Position } from '../contract/position.ts';

/** A canary in the outbox; `processedAt` is null until it has been processed. */
export interface Canary {
  readonly position: Position;
  readonly createdAt: Date;
  readonly processedAt: Date | null;
}

/** Canaries that have not been processed. */
export interface WaitingCanaries {
  readonly pending: number;
  /** When the oldest one, pending or dead, was written. */
  readonly oldest: Date | null;
}

/** The ports of `sendCanary`. */
export interface CanaryPorts {
  /** Returns the latest canary in its current state; null before the first. */
  readonly readLastCanary: () => Promise<Canary | null>;
  /** Returns the canaries that have not been processed, counted up to `limit`. */
  readonly readWaitingCanaries: (limit: number) => Promise<WaitingCanaries>;
  /** Marks the canaries before a position processed, because a later one was processed. */
  readonly settleCanariesBefore: (position: Position) => Promise<number>;
  readonly writeCanary: (createdAt: Date) => Promise<void>;
}

/** No canary is written while this many are pending, so that an outage does not leave thousands. */
export const maxWaitingCanaries = 10;

/**
 * Writes a canary, and returns the lag in milliseconds: while canaries wait, the age of the oldest;
 * otherwise the lag of the latest one. Null if there is neither.
 *
 * A canary whose message was lost, or that is dead, waits until a later one is processed. Then it
 * is settled, because the graph has a newer state of its aggregate.
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
