/** The state of one aggregate that the apply receives, and its outcome. */
import type { Position } from '../contract/position.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import type { Conflict } from './conflict.ts';

/** The state that one event carries: the aggregate's whole subgraph, or null for a deletion. */
export interface AggregateState {
  /** The aggregate's key in the registry. */
  readonly key: string;
  readonly position: Position;
  readonly subgraph: Subgraph | null;
}

/** `superseded`: this state or a newer one was applied earlier. Both outcomes are settled. */
export interface StateOutcome {
  readonly key: string;
  readonly outcome: 'applied' | 'superseded';
}

/** The outcome of one transaction: it commits all states, or none if a claim is refused. */
export type TransactionOutcome =
  | { readonly outcome: 'committed'; readonly states: readonly StateOutcome[] }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly Conflict[] };

/** Whether a state is newer than its aggregate's position in the registry. */
export function supersedes(state: AggregateState, applied: Position | undefined): boolean {
  return applied === undefined || state.position > applied;
}
