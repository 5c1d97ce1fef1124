/** Elements of the graph as read for a comparison, and registry entries. */
import type { Position } from '../contract/position.ts';
import type { GraphProperties } from '../contract/subgraph.ts';

/** A node in the graph, without outgraph's own properties. */
export interface StoredNode {
  /** All labels, including the one that names it. */
  readonly labels: readonly string[];
  /** All properties, including the key. */
  readonly properties: GraphProperties;
  /** The aggregate that owns it; null if it is shared, a placeholder or foreign. */
  readonly owner: string | null;
  /** Number of aggregates that share it. */
  readonly shares: number;
}

/** A relationship in the graph, without outgraph's own properties. */
export interface StoredRelationship {
  /** The identities of its start node: one for each of the node's labels that has a key. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly properties: GraphProperties;
}

/** Elements in the graph: nodes by identity, relationships by id. */
export interface StoredElements {
  readonly nodes: ReadonlyMap<string, StoredNode>;
  readonly relationships: ReadonlyMap<string, StoredRelationship>;
}

/** An aggregate's entry in the registry. */
export interface RegisteredAggregate {
  readonly key: string;
  readonly position: Position;
  /** In its stored form. */
  readonly manifest: string;
  readonly deleted: boolean;
}

/** An element with outgraph's own properties, found by a scan of the graph. */
export type MarkedElement = MarkedNode | MarkedRelationship;

export interface MarkedNode {
  readonly kind: 'node';
  /** Neo4j's id, to reread the node. */
  readonly elementId: string;
  /** Its identities: one for each of its labels that has a key; none if it has lost them. */
  readonly identities: readonly string[];
  readonly owner: string | null;
  /** Number of aggregates that share it. */
  readonly shares: number;
  /** No relationship ends on it. */
  readonly lonely: boolean;
}

export interface MarkedRelationship {
  readonly kind: 'relationship';
  readonly elementId: string;
  readonly type: string;
  /** Its `_outgraphId`. */
  readonly id: string;
  /** Number of aggregates that share it; null if it is owned. */
  readonly shares: number | null;
}

/** An element, and the number of aggregates that share it according to the registry. */
export interface CountedElement {
  readonly element: MarkedElement;
  readonly listings: number;
}
