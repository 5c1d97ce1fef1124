/**
 * Reads elements of the graph for a verification: those that an aggregate should have, or, in a
 * scan of the whole graph, all elements with outgraph's properties. It writes nothing and takes no
 * locks.
 */
import neo4j, { type Driver, type RecordShape } from 'neo4j-driver';
import { nodeIdentity } from '../contract/identity.ts';
import type { Endpoint, KeyValue } from '../contract/subgraph.ts';
import { translateNeo4jError } from './neo4j-errors.ts';
import { fromProperties } from './neo4j-from-property.ts';
import type { KeyNames } from './neo4j-key-names.ts';
import { type Query, queryOf, read } from './neo4j-read.ts';
import { groupByShape, nodePattern } from './neo4j-shape.ts';
import type { MarkedElement, StoredElements, StoredNode, StoredRelationship } from './stored-graph.ts';

/** Returns the named elements that exist. @throws Fault `neo4j-unavailable`. */
export async function readElements(
  driver: Driver,
  database: string,
  keyNames: KeyNames,
  wanted: {
    readonly nodes: readonly Endpoint[];
    readonly relationships: readonly { readonly type: string; readonly id: string }[];
  },
): Promise<StoredElements> {
  const nodes = await readNodes(queryOf(driver, database), wanted.nodes);
  const relationships = new Map<string, StoredRelationship>();
  for (const [type, members] of Map.groupBy(wanted.relationships, (one) => one.type)) {
    const statement = `
UNWIND $ids AS id
MATCH (a)-[r:\`${type}\` {_outgraphId: id}]->(b)
RETURN id, properties(r) AS properties, labels(a) AS fromLabels, properties(a) AS fromProperties,
  labels(b) AS toLabels, properties(b) AS toProperties`;
    for (const row of await read<RelationshipRow>(driver, database, statement, { ids: members.map(({ id }) => id) })) {
      relationships.set(row.id, {
        from: identitiesOf(keyNames, row.fromLabels, row.fromProperties),
        to: identitiesOf(keyNames, row.toLabels, row.toProperties),
        properties: fromProperties(row.properties),
      });
    }
  }
  return { nodes, relationships };
}

/** Returns the named nodes that exist, by identity. */
export async function readNodes(
  query: Query,
  endpoints: readonly Endpoint[],
): Promise<ReadonlyMap<string, StoredNode>> {
  const nodes = new Map<string, StoredNode>();
  for (const [shape, members] of groupByShape(endpoints, (endpoint) => endpoint)) {
    const statement = `
UNWIND $rows AS row
MATCH ${nodePattern('n', shape, 'row[1]')}
RETURN row[0] AS index, labels(n) AS labels, properties(n) AS properties`;
    const rows = members.map(({ key }, index) => [index, Object.values(key)]);
    for (const row of await query<{ index: bigint } & NodeRow>(statement, { rows })) {
      const { label, key } = members[Number(row.index)] as Endpoint;
      nodes.set(nodeIdentity({ label, key }), toStoredNode(row));
    }
  }
  return nodes;
}

interface NodeRow {
  readonly labels: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

interface RelationshipRow extends RecordShape {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly fromLabels: readonly string[];
  readonly fromProperties: Readonly<Record<string, unknown>>;
  readonly toLabels: readonly string[];
  readonly toProperties: Readonly<Record<string, unknown>>;
}

function toStoredNode({ labels, properties }: NodeRow): StoredNode {
  const { _outgraphOwner: owner = null, _outgraphShares: shares = 0n } = properties as {
    readonly _outgraphOwner?: string;
    readonly _outgraphShares?: bigint;
  };
  return { labels, properties: fromProperties(properties), owner, shares: Number(shares) };
}

/** A node's identities: one for each of its labels that has a key. */
function identitiesOf(
  keyNames: KeyNames,
  labels: readonly string[],
  properties: Readonly<Record<string, unknown>>,
): readonly string[] {
  return labels.flatMap((label) =>
    (keyNames.get(label) ?? []).flatMap((names) => {
      const values = names.flatMap((name) => toKeyValue(properties[name]) ?? []);
      if (values.length !== names.length) return [];
      return [
        nodeIdentity({ label, key: Object.fromEntries(names.map((name, index) => [name, values[index] as KeyValue])) }),
      ];
    }),
  );
}

/**
 * The key value with which Neo4j finds a property: for a user's FLOAT, the equal INTEGER. Null for
 * a value that cannot be a key, such as a list or a date.
 */
function toKeyValue(value: unknown): KeyValue | null {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : null;
}

const isMarked = '(n._outgraphOwner IS NOT NULL OR n._outgraphShares IS NOT NULL OR n._outgraph IS NOT NULL)';
const returnNode =
  'RETURN elementId(n) AS elementId, labels(n) AS labels, properties(n) AS properties, ' +
  'NOT EXISTS { (n)--() } AS lonely';
const isOutgraphs = 'r._outgraphId IS NOT NULL';
const returnRelationship =
  'RETURN elementId(r) AS elementId, type(r) AS type, r._outgraphId AS id, r._outgraphShares AS shares';

const allNodes = `MATCH (n) WHERE ${isMarked} ${returnNode}`;
const allRelationships = `MATCH ()-[r]->() WHERE ${isOutgraphs} ${returnRelationship}`;
const someNodes = `UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id AND ${isMarked} ${returnNode}`;
const relationshipsById = 'UNWIND $ids AS id MATCH ()-[r]->() WHERE elementId(r) = id';
const someRelationships = `${relationshipsById} AND ${isOutgraphs} ${returnRelationship}`;

const elementsAtOnce = 1_000;

/**
 * Scans everything with outgraph's properties, a chunk at a time; the server buffers the rest.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function* walkElements(
  driver: Driver,
  database: string,
  readKeyNames: () => Promise<KeyNames>,
): AsyncGenerator<readonly MarkedElement[]> {
  for await (const rows of walk<MarkedNodeRow>(driver, database, allNodes)) {
    const keyNames = await readKeyNames();
    yield rows.map((row) => toMarkedNode(keyNames, row));
  }
  for await (const rows of walk<MarkedRelationshipRow>(driver, database, allRelationships))
    yield rows.map(toMarkedRelationship);
}

interface MarkedNodeRow extends RecordShape, NodeRow {
  readonly elementId: string;
  readonly lonely: boolean;
}

interface MarkedRelationshipRow extends RecordShape {
  readonly elementId: string;
  readonly type: string;
  readonly id: string;
  readonly shares: bigint | null;
}

function toMarkedRelationship({ shares, ...row }: MarkedRelationshipRow): MarkedElement {
  return { kind: 'relationship', ...row, shares: shares === null ? null : Number(shares) };
}

function toMarkedNode(keyNames: KeyNames, { elementId, labels, properties, lonely }: MarkedNodeRow): MarkedElement {
  const { owner, shares } = toStoredNode({ labels, properties });
  return {
    kind: 'node',
    elementId,
    identities: identitiesOf(keyNames, labels, properties),
    owner,
    shares,
    lonely,
  };
}

/**
 * Returns the elements that still exist, in their current state.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function rereadElements(
  query: Query,
  keyNames: KeyNames,
  elements: readonly MarkedElement[],
): Promise<readonly MarkedElement[]> {
  const idsOf = (kind: MarkedElement['kind']) =>
    elements.filter((one) => one.kind === kind).map(({ elementId }) => elementId);
  const nodes = await query<MarkedNodeRow>(someNodes, { ids: idsOf('node') });
  const relationships = await query<MarkedRelationshipRow>(someRelationships, {
    ids: idsOf('relationship'),
  });
  return [...nodes.map((row) => toMarkedNode(keyNames, row)), ...relationships.map(toMarkedRelationship)];
}

async function* walk<Row extends RecordShape>(
  driver: Driver,
  database: string,
  statement: string,
): AsyncGenerator<readonly Row[]> {
  const session = driver.session({
    database,
    defaultAccessMode: neo4j.session.READ,
    fetchSize: elementsAtOnce,
  });
  try {
    let rows: Row[] = [];
    for await (const record of session.run<Row>(statement)) {
      rows.push(record.toObject());
      if (rows.length < elementsAtOnce) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  } catch (error) {
    throw translateNeo4jError(error);
  } finally {
    await session.close();
  }
}
