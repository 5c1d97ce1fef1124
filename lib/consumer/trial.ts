/**
 * Trials: attempts to process redelivered events. A trial is recorded before it starts and removed
 * when it ends, whether or not it succeeds. A trial that outlives its time ended in a crash of its
 * process. Receive counts cannot show this, because an outage redelivers every message again and
 * again.
 */

/** Number of crashed trials of one event, together with other events and alone. */
export interface CrashedTrials {
  readonly together: number;
  readonly alone: number;
}

/** Past failures and conflicts of an event while the servers responded. */
export interface PastFailures {
  /** Number of counted failures on its own; null if it never failed. */
  readonly failures: number | null;
  /** Number of time-outs, with other events or on its own. */
  readonly slow: number;
  /** Number of conflicts. */
  readonly conflicts: number;
  /** Seconds since the last of these. */
  readonly secondsAgo: number;
}

/** A new trial. */
export interface Trial {
  readonly eventIds: readonly string[];
  /** Whether the trial has only one event. */
  readonly alone: boolean;
  /** After this time, the trial has ended or its process has crashed. */
  readonly maxMillis: number;
}
