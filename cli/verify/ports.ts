/** The functions with which a verification reads from both databases. */
import type { Fault } from '../../lib/contract/fault.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import type { Subgraph, SubgraphNode } from '../../lib/contract/subgraph.ts';
import type {
  CountedElement,
  MarkedElement,
  RegisteredAggregate,
  StoredElements,
} from '../../lib/graph/stored-graph.ts';
import type { UnsettledEvent } from '../../lib/outbox/mongodb-unsettled.ts';

/** The current document, projected. */
export interface DocumentState<Id> {
  readonly id: Id;
  /** Null if the document has no aggregate id. */
  readonly aggregateId: string | null;
  /** The subgraph, or why it can never be applied. */
  readonly subgraph: Subgraph | Fault;
}

export interface VerifyPorts<Id> {
  /** The keys of the aggregates that are verified. */
  readonly keys: RegistryKeys;
  readonly readClusterTime: () => Promise<Position>;
  /** Of all types; null if no event is pending. */
  readonly oldestPending: () => Promise<Position | null>;
  /** In pages that fit in memory. */
  readonly walkDocuments: (aggregateType: string) => AsyncIterable<readonly DocumentState<Id>[]>;
  readonly readDocuments: (aggregateType: string, ids: readonly Id[]) => Promise<readonly DocumentState<Id>[]>;
  readonly newestUnsettled: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, UnsettledEvent>>;
  /** By key. Omits aggregates that are not in the registry. */
  readonly readAggregates: (keys: readonly string[]) => Promise<ReadonlyMap<string, RegisteredAggregate>>;
  /**
   * Live aggregates, each once: of all types, or the selected ones. `graph`: of all sources, whose
   * shared elements count.
   */
  readonly walkAggregates: (of: 'source' | 'graph') => AsyncIterable<readonly RegisteredAggregate[]>;
  /** Live aggregates of all sources with a later position. */
  readonly listChanged: (since: Position) => AsyncIterable<readonly RegisteredAggregate[]>;
  readonly readElements: (
    nodes: readonly SubgraphNode[],
    relationships: readonly { readonly type: string; readonly id: string }[],
  ) => Promise<StoredElements>;
  /** The labels with a key constraint of outgraph. */
  readonly readOwnLabels: () => Promise<ReadonlySet<string>>;
  readonly walkElements: () => AsyncIterable<readonly MarkedElement[]>;
  /** The elements that still exist with the same marks. */
  readonly rereadElements: (elements: readonly MarkedElement[]) => Promise<readonly MarkedElement[]>;
  /**
   * The elements that still exist, each with the number of aggregates that list it as shared at the
   * same moment. Omits an element that keeps changing.
   */
  readonly countListings: (elements: readonly MarkedElement[]) => Promise<readonly CountedElement[]>;
  readonly isInterrupted: () => boolean;
  /** Receives the number of documents, aggregates or elements examined so far. */
  readonly progress: (step: VerifyStep, examined: number) => void;
}

export type VerifyStep = 'documents' | 'aggregates' | 'elements';
