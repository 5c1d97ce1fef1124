/** What a verification needs of both databases. */
import type { Fault } from '../../lib/contract/fault.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { Subgraph, SubgraphNode } from '../../lib/contract/subgraph.ts';
import type {
  CountedElement,
  MarkedElement,
  RegisteredAggregate,
  StoredElements,
} from '../../lib/graph/stored-graph.ts';

/** A document as it is now, and the subgraph that it stands for. */
export interface DocumentState<Id> {
  readonly id: Id;
  /** The aggregate; null where the document has no aggregate id. */
  readonly aggregateId: string | null;
  /** Or why it can never be applied. */
  readonly subgraph: Subgraph | Fault;
}

/** The newest event of an aggregate that is not settled. */
export interface Unsettled {
  readonly position: Position;
  readonly status: 'pending' | 'dead';
}

export interface VerifyPorts<Id> {
  readonly readClusterTime: () => Promise<Position>;
  /** Of all types; null if none is. */
  readonly oldestPending: () => Promise<Position | null>;
  readonly listDocuments: (
    aggregateType: string,
    after: { readonly id: Id } | null,
    limit: number,
  ) => Promise<readonly DocumentState<Id>[]>;
  readonly readDocuments: (aggregateType: string, ids: readonly Id[]) => Promise<readonly DocumentState<Id>[]>;
  readonly newestUnsettled: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, Unsettled>>;
  /** By key; those that the registry does not know are left out. */
  readonly readAggregates: (keys: readonly string[]) => Promise<ReadonlyMap<string, RegisteredAggregate>>;
  /** Live ones of all types, in the order of their keys. */
  readonly listAggregates: (after: string, limit: number) => Promise<readonly RegisteredAggregate[]>;
  /** Live ones whose position is later. */
  readonly listChanged: (since: Position) => AsyncIterable<readonly RegisteredAggregate[]>;
  readonly readElements: (
    nodes: readonly SubgraphNode[],
    relationships: readonly { readonly type: string; readonly id: string }[],
  ) => Promise<StoredElements>;
  /** The labels that outgraph's own constraints key. */
  readonly readOwnLabels: () => Promise<ReadonlySet<string>>;
  readonly walkElements: () => AsyncIterable<readonly MarkedElement[]>;
  /** Those of the elements that still stand with the same marks. */
  readonly rereadElements: (elements: readonly MarkedElement[]) => Promise<readonly MarkedElement[]>;
  /**
   * Those that still stand, with the number of aggregates that list each as shared: both of one moment; left out where
   * it changed meanwhile.
   */
  readonly countListings: (elements: readonly MarkedElement[]) => Promise<readonly CountedElement[]>;
  readonly isInterrupted: () => boolean;
  /** So many documents, aggregates or elements were looked at. */
  readonly progress: (step: VerifyStep, looked: number) => void;
}

export type VerifyStep = 'documents' | 'aggregates' | 'elements';
