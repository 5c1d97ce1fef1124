/**
 * The subgraph: the nodes and relationships that one aggregate lists. It has two forms here: the
 * projection's result, and the form that `readSubgraph` (in `read-subgraph.ts`) has checked and
 * converted to Neo4j's values.
 */

/** The names of the key properties of labels. */
export type KeyNames = Readonly<Record<string, readonly string[]>>;

/** A BSON value by the name of its class, whichever copy of the package created it. */
export interface BsonValue<Name extends string> {
  readonly _bsontype: Name;
}

/** The value of a key property: a string, an integer or a boolean, as BSON or as JavaScript. */
export type ProjectedKeyValue =
  | string
  | number
  | bigint
  | boolean
  | BsonValue<'Int32' | 'Long' | 'ObjectId' | 'Binary'>;

type ProjectedNumber = number | bigint | BsonValue<'Int32' | 'Long' | 'Double'>;

/** A GeoJSON Point: longitude, latitude and, in three dimensions, altitude. */
interface GeoJsonPoint {
  readonly type: 'Point';
  readonly coordinates: readonly ProjectedNumber[];
}

type ProjectedScalar = ProjectedKeyValue | Date | BsonValue<'Double'> | GeoJsonPoint;

/**
 * The value of a property: a stored BSON value or a plain JavaScript value, or an array of one kind.
 * Null and undefined mean that the property is absent.
 *
 * A `number` that is a safe integer becomes an INTEGER, any other a FLOAT. If 1.0 must stay a
 * FLOAT, use `new Double(1)`.
 *
 * @example
 * const properties: Record<string, ProjectedValue> = { name: 'Ada', tags: ['a', 'b'], born: null };
 */
export type ProjectedValue = ProjectedScalar | readonly ProjectedScalar[] | null | undefined;

/**
 * A node's name: its label and the values of the label's key properties (string, integer or
 * boolean). With `Labels`, only these labels, each with its own key.
 *
 * @example
 * const endpoint: ProjectedEndpoint = { label: 'User', key: { user_id: 'u1' } };
 */
export type ProjectedEndpoint<Labels extends KeyNames = KeyNames> = {
  readonly [Label in keyof Labels & string]: {
    readonly label: Label;
    readonly key: { readonly [Name in Labels[Label][number]]: ProjectedKeyValue };
  };
}[keyof Labels & string];

/**
 * A node that an aggregate lists: owned, with its labels and properties, or `shared`, with neither.
 *
 * @example
 * const node: ProjectedNode = {
 *   label: 'User',
 *   key: { user_id: 'u1' },
 *   labels: ['Admin'],
 *   properties: { name: 'Ada' },
 * };
 */
export type ProjectedNode<Labels extends KeyNames = KeyNames> = ProjectedEndpoint<Labels> & {
  readonly shared?: boolean;
  readonly labels?: readonly string[];
  readonly properties?: Readonly<Record<string, ProjectedValue>>;
};

/**
 * A relationship that an aggregate lists. `key` distinguishes parallel relationships of one type. A
 * `shared` relationship has no properties.
 *
 * @example
 * const relationship: ProjectedRelationship = {
 *   type: 'WORKS_AT',
 *   from: { label: 'User', key: { user_id: 'u1' } },
 *   to: { label: 'Team', key: { team_id: 't1' } },
 *   properties: { since: 2020 },
 * };
 */
export interface ProjectedRelationship<Labels extends KeyNames = KeyNames, Type extends string = string> {
  readonly type: Type;
  readonly from: ProjectedEndpoint<Labels>;
  readonly to: ProjectedEndpoint<Labels>;
  readonly key?: string;
  readonly shared?: boolean;
  readonly properties?: Readonly<Record<string, ProjectedValue>>;
}

/**
 * The result of a projection, and the payload of an event of the aggregate type `graph`. At most
 * 10,000 nodes and relationships (`docs/reference/contract.md`). With `Labels` and `Type`, only
 * these labels, with their keys, and these relationship types.
 *
 * @example
 * const subgraph: ProjectedSubgraph = {
 *   nodes: [{ label: 'User', key: { user_id: 'u1' }, properties: { name: 'Ada' } }],
 *   relationships: [],
 * };
 */
export interface ProjectedSubgraph<Labels extends KeyNames = KeyNames, Type extends string = string> {
  readonly nodes: readonly ProjectedNode<Labels>[];
  readonly relationships: readonly ProjectedRelationship<Labels, Type>[];
}

/** Maximum number of nodes and relationships in one subgraph. Endpoints do not count. */
export const subgraphMaxElements = 10_000;

/** Pattern of the names of labels, relationship types and properties. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;

/** Label of outgraph's own registry nodes. No subgraph may use it. */
export const registryLabel = 'OutgraphAggregate';

/** Prefix of outgraph's own properties. No subgraph may use a name with it. */
export const bookkeepingPrefix = '_outgraph';

/** A point in WGS-84. Without an altitude it has two dimensions. */
export interface GraphPoint {
  readonly longitude: number;
  readonly latitude: number;
  readonly altitude: number | null;
}

/**
 * A single value in Neo4j: `bigint` is an INTEGER, `number` a FLOAT, `Date` a zoned datetime in
 * UTC.
 */
export type GraphScalar = string | boolean | bigint | number | Date | GraphPoint;

/** A property value: a scalar, or a list of scalars of one kind. */
export type GraphValue = GraphScalar | readonly GraphScalar[];

/** The value of a key property. */
export type KeyValue = string | boolean | bigint;

export type GraphProperties = Readonly<Record<string, GraphValue>>;

/** A node's checked name. `key` is sorted by property name. */
export interface Endpoint {
  readonly label: string;
  readonly key: Readonly<Record<string, KeyValue>>;
}

/**
 * An endpoint with its identity as one text (`nodeIdentity`), which is equal for every aggregate
 * that lists it.
 */
export interface NamedEndpoint extends Endpoint {
  readonly identity: string;
}

/** A checked node. `labels` are sorted, without duplicates and without `label` itself. */
export interface SubgraphNode extends NamedEndpoint {
  readonly shared: boolean;
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
}

/** A checked relationship. */
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
