/**
 * All that an operator sees of one event that is dead, or was discarded. Plain data: printed, sent as JSON, and drawn
 * by the console.
 */

import type { CodeHint } from './code-hints.ts';
import type { DeadDetails } from './dead-list.ts';
import type { NewerState } from './newer-state.ts';

export interface ShownEvent {
  readonly outcome: 'found';
  readonly event: DeadDetails;
  /** Null for a code that is none of outgraph's. */
  readonly hint: CodeHint | null;
  readonly newer: NewerState;
  /** Why the graph was not asked, so that a newer event which is purged is not known; null where it was. */
  readonly graphUnread: string | null;
  /** Null while it is in the outbox. */
  readonly discarded: { readonly at: Date; readonly reason: string } | null;
  /** Relaxed Extended JSON; null for a deletion, or where it was not asked for. */
  readonly payload: unknown;
}

/** `not-dead`: it is pending or processed. `unknown`: there is none of this id, or it is purged. */
export type ShowResult =
  | ShownEvent
  | { readonly outcome: 'not-dead'; readonly status: string }
  | { readonly outcome: 'unknown' };
