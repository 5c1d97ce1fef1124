/**
 * Trials: what the consumer has begun with events that came to it before. A trial is written down before it begins and
 * removed when it ends, however it ends; one that is still there when its time is over ended with its process. How
 * often a message was received says nothing of the kind: in an outage every message is received again and again.
 */

/** How many trials of one event ended with the process: begun with others, and begun alone. */
export interface BrokenTrials {
  readonly together: number;
  readonly alone: number;
}

/** How an event failed before, while the servers answered. */
export interface PastFailures {
  /** Failed on its own. */
  readonly alone: boolean;
  /** How often it ran out of time, with others or on its own. */
  readonly slow: number;
}

/** A trial that begins. */
export interface Trial {
  readonly eventIds: readonly string[];
  /** Whether nothing but this one event is tried. */
  readonly alone: boolean;
  /** Until then it has ended, or its process has. */
  readonly maxMillis: number;
}
