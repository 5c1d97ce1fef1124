/**
 * The status of a whole stage: is the graph in step, and if not, where do events wait? Plain data:
 * printed, sent as JSON, and drawn by the console.
 */

/**
 * - `in-step`: no event is stale or dead, and the last canary was applied.
 * - `catching-up`: events wait, and are being settled.
 * - `out-of-step`: events wait and none is settled, or events are dead. `reasons` has the details.
 */
export type StatusVerdict = 'in-step' | 'catching-up' | 'out-of-step';

/** Events of one aggregate type, without canaries. */
export interface TypeStatus {
  readonly aggregateType: string;
  readonly pending: number;
  /** When the oldest pending event was written, by its position; null if none is pending. */
  readonly oldestPendingAt: Date | null;
  readonly dead: number;
}

/** The approximate number of messages in a queue, as SQS reports it. */
export interface QueueStatus {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** One publisher's checkpoint and lease. */
export interface PublisherStatus {
  readonly id: string;
  /** Null if no process holds the lease. */
  readonly owner: string | null;
  readonly leaseExpiresAt: Date;
  /** When it last took the lease or saved its progress; null before the first time. */
  readonly updatedAt: Date | null;
  /** It still publishes a backlog by index. Not known of workers. */
  readonly hasBacklog: boolean;
  /** Number of workers that hold the lease together; null if one process holds it alone, or none. */
  readonly workers: number | null;
}

/** From `createdAt` to `processedAt`, for the events settled in the last minute. */
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
  /** Why it is not in step, as text; empty if it is. */
  readonly reasons: readonly string[];
  /** Of all types, without canaries; counted up to a million. */
  readonly pending: number;
  readonly dead: number;
  /** Types with pending or dead events, by name. Only the oldest events are counted. */
  readonly types: readonly TypeStatus[];
  /**
   * There are more events than were counted by type. The counts are too small, and a type may be
   * missing.
   */
  readonly isCapped: boolean;
  /** Null if the settings name no queue (the worker needs none). */
  readonly queue: QueueStatus | null;
  readonly deadLetterQueue: QueueStatus | null;
  readonly publishers: readonly PublisherStatus[];
  /** Null if no event was settled in the last minute. */
  readonly lag: LagStatus | null;
  /** Over the last minute. */
  readonly settledPerSecond: number;
  /** Includes canaries. */
  readonly lastSettledAt: Date | null;
  /**
   * The sweep's last canary. `processedAt` is null until it is applied. Null if the sweep has not
   * run for a long time.
   */
  readonly canary: { readonly writtenAt: Date; readonly processedAt: Date | null } | null;
}
