/** What the sweep looks for, and what it finds. */
import type { Pointer } from './pointer.ts';
import type { Position } from './position.ts';

/** A pending event that nothing has settled in time. */
export interface StaleEvent extends Pointer {
  readonly position: Position;
  readonly attempts: number;
}

/** What to look for: pending since before `staleBefore`, and due by `now`; after a position, to go on where a chunk ended. */
export interface StaleQuery {
  readonly staleBefore: Date;
  readonly now: Date;
  readonly after: Position | null;
  readonly limit: number;
}

/** Counts of the outbox; the oldest pending event's age is told by its position. */
export interface OutboxCounts {
  readonly pending: number;
  readonly dead: number;
  readonly oldestPending: Date | null;
}
