/** What the apply is given and what it answers, for one aggregate. */
import type { Position } from '../contract/position.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import type { Conflict } from './conflict.ts';

/** The state that one event carries: the aggregate's whole subgraph, or null for a deletion. */
export interface AggregateState {
  /** `aggregateType:aggregateId`. */
  readonly key: string;
  readonly position: Position;
  readonly subgraph: Subgraph | null;
}

/** `superseded`: this state, or a newer one, had been applied before. Both are settled. */
export interface StateOutcome {
  readonly key: string;
  readonly outcome: 'applied' | 'superseded';
}

/** What one transaction came to: all of it, or, where claims on nodes cannot be granted, nothing. */
export type TransactionOutcome =
  | { readonly outcome: 'committed'; readonly states: readonly StateOutcome[] }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly Conflict[] };

/** Whether a state is newer than what the registry has of its aggregate. */
export function supersedes(state: AggregateState, applied: Position | undefined): boolean {
  return applied === undefined || state.position > applied;
}
