/**
 * Dead events as an operator selects and sees them. Plain data: printed, sent as JSON, and drawn by
 * the console. An event may have bypassed the validator, so do not rely on its fields.
 */
import type { Position } from '../../lib/contract/position.ts';
import type { CodeHint } from './code-hints.ts';

/** Selects dead events. Every list narrows the selection; an empty list does not. */
export interface DeadSelection {
  /** Values of `error.code`. */
  readonly codes: readonly string[];
  readonly aggregateTypes: readonly string[];
  /** 24 hexadecimal digits each. */
  readonly eventIds: readonly string[];
}

/** A dead event in a list. */
export interface DeadRow {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly operation: string;
  readonly deadAt: Date;
  readonly code: string;
  readonly message: string;
}

/** All fields but the payload; null for a field that is missing or has the wrong type. */
export interface DeadDetails extends DeadRow {
  readonly position: Position | null;
  readonly createdAt: Date | null;
  readonly attempts: number;
  readonly traceparent: string | null;
}

/** The dead events of one code and aggregate type. */
export interface DeadGroup {
  readonly code: string;
  readonly aggregateType: string;
  readonly events: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** The largest groups first, and the most recently dead events first. */
export interface DeadList {
  readonly groups: readonly DeadGroup[];
  /** The groups cover only the newest events, because there are too many. */
  readonly isCapped: boolean;
  readonly events: readonly DeadRow[];
}

/**
 * Whether a newer state of an event's aggregate is known.
 *
 * - `applied`: the graph has a newer state or deletion; the event has no effect any more.
 * - `pending`: a newer event is pending.
 * - `dead`: the newest event is a different one, which is dead too.
 * - `none`: it is the newest known event of its aggregate.
 */
export type NewerState = 'applied' | 'pending' | 'dead' | 'none';

/** One event that is dead or was discarded. */
export interface ShownEvent {
  readonly outcome: 'found';
  readonly event: DeadDetails;
  /** Null for a code that outgraph does not define. */
  readonly hint: CodeHint | null;
  readonly newer: NewerState;
  /**
   * Why the graph was not queried; null if it was. Without the graph, a newer event that was purged
   * is unknown.
   */
  readonly graphUnread: string | null;
  /** Null while it is in the outbox. */
  readonly discarded: { readonly at: Date; readonly reason: string } | null;
  /** Relaxed Extended JSON; null for a deletion, or if it was not requested. */
  readonly payload: unknown;
}

/** `not-dead`: it is pending or processed. `unknown`: no event has this id, or it was purged. */
export type ShowResult =
  | ShownEvent
  | { readonly outcome: 'not-dead'; readonly status: string }
  | { readonly outcome: 'unknown' };
