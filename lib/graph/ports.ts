/** What the graph does for those who bring it states: the consumer, and the backfill. */
import type { AggregateState } from './aggregate-state.ts';
import type { BatchOptions, BatchResults } from './apply-batch.ts';

export interface GraphPorts {
  /**
   * Applies one state for each aggregate and fills in the results as transactions commit; throws when the rest shall be
   * retried later.
   */
  readonly applyBatch: (
    states: readonly AggregateState[],
    results: BatchResults,
    options?: BatchOptions,
  ) => Promise<void>;
  /** The keys of aggregates that list one of these nodes (by identity) as shared. */
  readonly findSharers: (nodeIdentities: readonly string[]) => Promise<readonly string[]>;
  /** Whether Neo4j answers a trivial question right now. Never throws. */
  readonly answers: () => Promise<boolean>;
}
