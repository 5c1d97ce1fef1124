/**
 * Trials: attempts to process redelivered events. A trial is recorded before it starts and removed when it ends, with
 * or without success. One that is still there after its time ended with a crash of its process. Receive counts cannot
 * show that: in an outage every message is received again and again.
 */

/** How many trials of one event ended with a crash: together with other events, and alone. */
export interface CrashedTrials {
  readonly together: number;
  readonly alone: number;
}

/** Past failures and conflicts of an event, while the servers answered. */
export interface PastFailures {
  /** How often it failed on its own, as far as it was counted; null if it never failed. */
  readonly failures: number | null;
  /** How often it ran out of time, with others or on its own. */
  readonly slow: number;
  /** How often it was in conflict. */
  readonly conflicts: number;
  /** Seconds since the last of these. */
  readonly secondsAgo: number;
}

/** A new trial. */
export interface Trial {
  readonly eventIds: readonly string[];
  /** Whether the trial has only this one event. */
  readonly alone: boolean;
  /** After this time, the trial has ended or its process has crashed. */
  readonly maxMillis: number;
}
