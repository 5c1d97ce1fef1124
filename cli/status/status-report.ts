/**
 * What an operator sees of a whole stage at one moment: is the graph in step, and if not, where does it wait? Plain
 * data: printed, sent as JSON, and drawn by the console.
 */

/**
 * - `in-step`: nothing is pending for longer than the sweep waits, nothing is dead, and the last canary came through.
 * - `catching-up`: events wait, and events are being settled.
 * - `out-of-step`: something waits, and nothing moves; or something is dead. `reasons` says what.
 */
export type StatusVerdict = 'in-step' | 'catching-up' | 'out-of-step';

/** Events of one aggregate type; canaries are not counted. */
export interface TypeStatus {
  readonly aggregateType: string;
  readonly pending: number;
  /** When the oldest of them was written, by its position; null where none is. */
  readonly oldestPendingAt: Date | null;
  readonly dead: number;
}

/** About how many messages a queue has, as SQS says. */
export interface QueueStatus {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** One publisher's checkpoint and lease. */
export interface PublisherStatus {
  readonly id: string;
  /** Null: nobody publishes, or whoever did let its lease run out. */
  readonly owner: string | null;
  readonly leaseExpiresAt: Date;
  /** When it took the lease or saved its progress last; null before the first time. */
  readonly updatedAt: Date | null;
  /** It still publishes a backlog by index. */
  readonly hasBacklog: boolean;
}

/** Milliseconds from `createdAt` to `processedAt` of events that were settled in the last minute. */
export interface LagStatus {
  readonly events: number;
  readonly p50Millis: number;
  readonly p95Millis: number;
  readonly maxMillis: number;
}

export interface StatusReport {
  /** MongoDB's clock. */
  readonly at: Date;
  readonly verdict: StatusVerdict;
  /** Why it is not in step, in words for people; empty where it is. */
  readonly reasons: readonly string[];
  /** Of all types, without canaries; up to a million. */
  readonly pending: number;
  readonly dead: number;
  /**
   * Those that have pending or dead events, in the order of their names: of the oldest pending and the oldest dead
   * events, as many as are looked at.
   */
  readonly types: readonly TypeStatus[];
  /** There are more events than were looked at: the numbers of types are too small, and a type may be missing. */
  readonly isCapped: boolean;
  /** Null where the settings name no queue (the worker needs none). */
  readonly queue: QueueStatus | null;
  /** Null where the settings name none. */
  readonly deadLetterQueue: QueueStatus | null;
  readonly publishers: readonly PublisherStatus[];
  /** Null where nothing was settled in the last minute. */
  readonly lag: LagStatus | null;
  /** Events a second over the last minute: as they were settled. */
  readonly settledPerSecond: number;
  /** Canaries too. */
  readonly lastSettledAt: Date | null;
  /**
   * The sweep's last canary; `processedAt` is null while it is on its way. Null: the sweep has never run, or not for a
   * long time.
   */
  readonly canary: { readonly writtenAt: Date; readonly processedAt: Date | null } | null;
}
