/**
 * How far the publisher has come: what its checkpoint remembers, between the flow that moves on and the adapters that
 * store it and read from it.
 */
import type { Pointer } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';

/** Where a tail of the outbox starts: behind a token, or with what commits after a time of the cluster. */
export type TailStart<Token> = { readonly resumeToken: Token } | { readonly after: Position };

/**
 * The pending events that are still to be published by index: those with a position after `after` (null: from the first
 * one), up to `until`.
 */
export interface Backlog {
  readonly until: Position;
  readonly after: Position | null;
}

/** A part of a backlog, and what is left of it. */
export interface BacklogChunk {
  readonly pointers: readonly Pointer[];
  readonly rest: Backlog | null;
}

/** Where to go on: everything before is on the bus. */
export interface PublishProgress<Token> {
  readonly tail: TailStart<Token>;
  readonly backlog: Backlog | null;
}

/**
 * The progress of a publisher that knows nothing yet: all that is pending up to the cluster's time `now` by index, and
 * a tail of what commits after it.
 *
 * No event is in neither. An event takes its position at its insert, and its transaction commits later, at a greater
 * time of the cluster. What commits after `now` comes by the tail, whatever its position is. What committed by `now`
 * has a position before `now`, and is seen by every read that happens causally after `now`: the backlog has it for as
 * long as it is pending. So it does not matter either that an event with a position that the backlog has passed may
 * still commit: the tail has it. What is in both is published twice, which does no harm.
 *
 * The tail starts after `now`, not with it, because what made a tail end may have happened at that very time.
 */
export function beginAt(now: Position): PublishProgress<never> {
  return { tail: { after: now }, backlog: { until: now, after: null } };
}
