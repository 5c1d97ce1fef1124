/** The publisher's progress, as its checkpoint stores it. */
import type { Pointer } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';

/** Where a tail of the outbox starts: after a token, or after a time of the cluster. */
export type TailStart<Token> = { readonly resumeToken: Token } | { readonly after: Position };

/**
 * The pending events still to be published by index: with a position after `after` (null: from the
 * first) and up to `until`.
 */
export interface Backlog {
  readonly until: Position;
  readonly after: Position | null;
}

/** A chunk of a backlog, and the remaining backlog. */
export interface BacklogChunk {
  readonly pointers: readonly Pointer[];
  readonly rest: Backlog | null;
}

/** Where to continue: everything before it is on the bus. */
export interface PublishProgress<Token> {
  readonly tail: TailStart<Token>;
  readonly backlog: Backlog | null;
}

/**
 * The progress of a publisher without a checkpoint: a backlog of everything pending up to the
 * cluster's time `now`, read by index, and a tail of everything that commits after `now`.
 *
 * Every event is in at least one of them. An event gets its position when it is inserted, and its
 * transaction commits later, at a greater time of the cluster.
 *
 * - An event that commits after `now` is in the tail, whatever its position. The backlog may
 *   already have passed that position.
 * - An event that committed by `now` has a position before `now`. Every read that happens causally
 *   after `now` sees it, so the backlog has it while it is pending.
 *
 * Events in both are published twice, which is harmless.
 *
 * The tail starts after `now`, not at it, because the event that ended the previous tail may have
 * happened at `now`.
 */
export function beginAt(now: Position): PublishProgress<never> {
  return { tail: { after: now }, backlog: { until: now, after: null } };
}
