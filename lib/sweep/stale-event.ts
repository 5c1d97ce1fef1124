/** Types of the sweep's queries and changes of the outbox. */
import type { Pointer } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';

/** How often an event was republished, and when it may be again; null if it never was. */
export interface Schedule {
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
}

/** A pending event that was not settled in time. */
export interface StaleEvent extends Pointer, Schedule {
  readonly position: Position;
}

/**
 * A query for events that are pending since before `staleBefore` and due by `dueBy`, after the
 * previous chunk's position.
 */
export interface StaleQuery {
  readonly staleBefore: Date;
  readonly dueBy: Date;
  readonly after: Position | null;
  readonly limit: number;
}

/**
 * A change of an event's schedule; valid only while the event is pending and its schedule is still
 * `from`.
 */
export interface Rescheduling {
  readonly eventId: string;
  readonly from: Schedule;
  readonly to: Schedule;
}
