/**
 * What stands in the graph, as it is read to be compared: elements, outgraph's marks on them, and what the registry
 * says.
 */
import type { Position } from '../contract/position.ts';
import type { GraphProperties } from '../contract/subgraph.ts';

/** A node as it stands, without outgraph's marks among its properties. */
export interface StandingNode {
  /** All of them, the one of its key too. */
  readonly labels: readonly string[];
  /** All of them, the key too. */
  readonly properties: GraphProperties;
  /** The aggregate that owns it; null for one that is shared, bare or foreign. */
  readonly owner: string | null;
  /** How many aggregates share it. */
  readonly shares: number;
}

/** A relationship as it stands, without outgraph's marks among its properties. */
export interface StandingRelationship {
  /** What its ends are called, by each of their labels that has a key. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly properties: GraphProperties;
}

/** What stands, by identity and by id. */
export interface StandingElements {
  readonly nodes: ReadonlyMap<string, StandingNode>;
  readonly relationships: ReadonlyMap<string, StandingRelationship>;
}

/** What the graph's registry says of an aggregate. */
export interface RegisteredAggregate {
  readonly key: string;
  readonly position: Position;
  /** As it is stored. */
  readonly manifest: string;
  readonly deleted: boolean;
}

/** An element with outgraph's marks, as a walk through the graph meets it. */
export type MarkedElement = MarkedNode | MarkedRelationship;

export interface MarkedNode {
  readonly kind: 'node';
  /** Neo4j's own id of it, for the second look. */
  readonly elementId: string;
  /** Its name by each of its labels that names nodes; none if it has lost them. */
  readonly identities: readonly string[];
  readonly owner: string | null;
  /** How many aggregates share it. */
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
  /** How many aggregates share it; null for one that is owned. */
  readonly shares: number | null;
}

/** An element as it stands, and by how many aggregates the registry says that it is shared. */
export interface CountedElement {
  readonly element: MarkedElement;
  readonly listings: number;
}
