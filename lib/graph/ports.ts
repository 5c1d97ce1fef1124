/** The graph's operations for its callers: the consumer and the backfill. */
import type { AggregateState } from './aggregate-state.ts';
import type { BatchOptions, BatchResults } from './apply-batch.ts';

export interface GraphPorts {
  /**
   * Applies one state for each aggregate, and fills in the results as transactions commit. Throws
   * if states without a result must be retried later.
   */
  readonly applyBatch: (
    states: readonly AggregateState[],
    results: BatchResults,
    options?: BatchOptions,
  ) => Promise<void>;
  /** Returns the keys of aggregates that list one of these nodes (by identity) as shared. */
  readonly findSharers: (nodeIdentities: readonly string[]) => Promise<readonly string[]>;
  /** Whether Neo4j answers a trivial query right now. Never throws. */
  readonly answers: () => Promise<boolean>;
}
