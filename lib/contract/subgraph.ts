/**
 * The subgraph: the nodes and relationships that one aggregate lists. This file holds its two forms, what a projection
 * returns and what it is after `readSubgraph` (in `read-subgraph.ts`) has checked it and turned its values into what
 * Neo4j holds.
 */

/** A node's name: its label and the values of the label's key properties (string, integer or boolean). */
export interface ProjectedEndpoint {
  readonly label: string;
  readonly key: Readonly<Record<string, unknown>>;
}

/**
 * A node that an aggregate lists: owned, with the labels and properties that it shall have; or `shared`, with neither.
 *
 * Property values are BSON values as they were stored (`Int32`, `Long`, `Double` …) or plain JavaScript values: a
 * `number` that is a safe integer becomes an INTEGER, any other a FLOAT; wrap it in `new Double(n)` where 1.0 shall
 * stay a FLOAT.
 */
export interface ProjectedNode extends ProjectedEndpoint {
  readonly shared?: boolean;
  readonly labels?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A relationship that an aggregate lists. `key` tells parallel relationships of one type apart. */
export interface ProjectedRelationship {
  readonly type: string;
  readonly from: ProjectedEndpoint;
  readonly to: ProjectedEndpoint;
  readonly key?: string;
  readonly shared?: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/**
 * What a projection returns, and what an event of the aggregate type `graph` carries as its payload.
 *
 * @example
 * const subgraph: ProjectedSubgraph = {
 *   nodes: [{ label: 'User', key: { user_id: 'u1' }, properties: { name: 'Ada' } }],
 *   relationships: [],
 * };
 */
export interface ProjectedSubgraph {
  readonly nodes: readonly ProjectedNode[];
  readonly relationships: readonly ProjectedRelationship[];
}

/** At most this many nodes and relationships in one subgraph; endpoints do not count. */
export const subgraphMaxElements = 10_000;

/** Names of labels, relationship types and properties. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;

/** The label of outgraph's own registry nodes; no subgraph may use it. */
export const registryLabel = 'OutgraphAggregate';

/** A property of outgraph's own bookkeeping begins with this; no subgraph may use such a name. */
export const bookkeepingPrefix = '_outgraph';

/** A value of one kind in Neo4j: `bigint` is an INTEGER, `number` a FLOAT, `Date` a zoned datetime in UTC. */
export type GraphScalar = string | boolean | bigint | number | Date;

/** A property value: a scalar, or a list of scalars of one kind. */
export type GraphValue = GraphScalar | readonly GraphScalar[];

/** The value of a key property. */
export type KeyValue = string | boolean | bigint;

export type GraphProperties = Readonly<Record<string, GraphValue>>;

/** A node's name, checked. `key` is sorted by property name. */
export interface Endpoint {
  readonly label: string;
  readonly key: Readonly<Record<string, KeyValue>>;
}

/** An endpoint with its name as one text (`nodeIdentity`), the same for everyone who means it. */
export interface NamedEndpoint extends Endpoint {
  readonly identity: string;
}

/** A listed node, checked: `labels` sorted, without duplicates and without `label` itself. */
export interface SubgraphNode extends NamedEndpoint {
  readonly shared: boolean;
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
}

/** A listed relationship, checked. */
export interface SubgraphRelationship {
  readonly type: string;
  readonly from: NamedEndpoint;
  readonly to: NamedEndpoint;
  readonly key: string | null;
  readonly shared: boolean;
  readonly properties: GraphProperties;
}

/** A subgraph that has passed every check that needs no database. */
export interface Subgraph {
  readonly nodes: readonly SubgraphNode[];
  readonly relationships: readonly SubgraphRelationship[];
}
