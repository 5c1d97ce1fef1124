/**
 * Corrects manifests to match the graph, for elements that another program has changed. The apply
 * skips elements whose manifest line is unchanged. So this removes a missing element from the
 * manifest, and gives a changed element a content that no state has. The next event of the
 * aggregate then writes both, in its own transaction. The aggregates are locked, so concurrent
 * events are applied before or after this.
 *
 * Shared elements are corrected immediately, because other aggregates list them too and have no
 * event.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import type { NamedEndpoint } from '../../lib/contract/subgraph.ts';
import {
  decodeManifest,
  encodeManifest,
  type ListedNode,
  type ListedRelationship,
  listedName,
  readLine,
  withUnknownContent,
} from '../../lib/graph/manifest.ts';
import { cleanUpNodes } from '../../lib/graph/neo4j-clean-up-nodes.ts';
import { withNeo4jFaults } from '../../lib/graph/neo4j-errors.ts';
import { readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import { type Query, queryOf } from '../../lib/graph/neo4j-read.ts';
import { readNodes } from '../../lib/graph/neo4j-read-elements.ts';
import { advanceAggregates, lockAggregates, type RegistryEntry } from '../../lib/graph/neo4j-registry.ts';
import { countMerged, runMerge, runStatement } from '../../lib/graph/neo4j-run-statement.ts';
import { groupByShape, nodePattern } from '../../lib/graph/neo4j-shape.ts';
import { deleteReleased } from '../../lib/graph/neo4j-write-relationships.ts';
import { inWriteTransaction } from '../../lib/graph/neo4j-write-transaction.ts';
import type { MarkedElement, MarkedRelationship, RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import { settleElements } from './neo4j-settle-elements.ts';

/** The elements of an aggregate that differ from its manifest. */
export interface DamagedAggregate {
  readonly key: string;
  /** By their names in a verification. */
  readonly names: ReadonlySet<string>;
  /** The relationships among them that are between the wrong nodes. */
  readonly misplaced: ReadonlySet<string>;
}

/**
 * Corrects the manifests. Record the current states of the aggregates afterwards.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function correctManifests(
  driver: Driver,
  database: string,
  damaged: readonly DamagedAggregate[],
): Promise<void> {
  const registered = await readRegistered(
    driver,
    database,
    damaged.map(({ key }) => key),
  );
  await settleDamaged(driver, database, damagedLines(damaged, registered));
  const known = damaged.filter(({ key }) => registered.has(key));
  await withNeo4jFaults(() => inWriteTransaction(driver, database, (tx) => correct(tx, known)));
}

/** A damaged line of a manifest. */
interface DamagedLine {
  readonly key: string;
  readonly line: string;
  readonly listed: ListedNode | ListedRelationship;
  readonly isMisplaced: boolean;
}

function damagedLines(
  damaged: readonly DamagedAggregate[],
  known: ReadonlyMap<string, Pick<RegisteredAggregate, 'manifest'>>,
): readonly DamagedLine[] {
  return damaged.flatMap(({ key, names, misplaced }) =>
    decodeManifest(known.get(key)?.manifest ?? encodeManifest([])).flatMap((line): readonly DamagedLine[] => {
      const listed = readLine(line);
      const name = listedName(listed);
      return names.has(name) ? [{ key, line, listed, isMisplaced: misplaced.has(name) }] : [];
    }),
  );
}

/**
 * Settles shared elements, and nodes that are marked with a different owner, which may not list
 * them.
 */
async function settleDamaged(driver: Driver, database: string, lines: readonly DamagedLine[]): Promise<void> {
  const query = queryOf(driver, database);
  const nodes = lines.flatMap(({ key, listed }) => (listed.kind === 'node' ? [{ key, listed }] : []));
  const owned = await readNodes(
    query,
    nodes.filter(({ listed }) => !listed.shared).map(({ listed }) => listed.endpoint),
  );
  const isElsewhere = (key: string, { endpoint }: ListedNode) => {
    const owner = owned.get(endpoint.identity)?.owner ?? null;
    return owner !== null && owner !== key;
  };
  const endpoints = nodes
    .filter(({ key, listed }) => listed.shared || isElsewhere(key, listed))
    .map(({ listed }) => listed.endpoint);
  const elements = await withNeo4jFaults(() => inWriteTransaction(driver, database, (tx) => mergeNodes(tx, endpoints)));
  const relationships = lines.flatMap(({ listed, isMisplaced }) =>
    listed.kind === 'relationship' && listed.shared && !isMisplaced ? [listed] : [],
  );
  elements.push(...(await findRelationships(query, relationships)));
  if (elements.length > 0) await settleElements(driver, database, { elements, rewrite: true });
}

/**
 * Creates missing nodes with only their label and key. Everything else about an element is read
 * under its lock.
 */
async function mergeNodes(tx: ManagedTransaction, endpoints: readonly NamedEndpoint[]): Promise<MarkedElement[]> {
  const merged: MarkedElement[] = [];
  for (const [shape, members] of groupByShape(endpoints, (endpoint) => endpoint)) {
    const statement = `
UNWIND $rows AS row
MERGE ${nodePattern('n', shape, 'row')}
  ON CREATE SET n._outgraph = true
  ON MATCH SET n._outgraph = true, n._outgraphLock = true
RETURN ${countMerged('n', '_outgraph')} AS count, collect(elementId(n)) AS found`;
    const rows = members.map(({ key }) => Object.values(key));
    for (const elementId of await runMerge<string>(tx, statement, { rows }, rows.length))
      merged.push({ kind: 'node', elementId, shares: 0, identities: [], owner: null, lonely: false });
  }
  return merged;
}

async function findRelationships(
  query: Query,
  relationships: readonly ListedRelationship[],
): Promise<readonly MarkedRelationship[]> {
  const found: MarkedRelationship[] = [];
  for (const [type, members] of Map.groupBy(relationships, (one) => one.type)) {
    const statement = `
UNWIND $ids AS id
MATCH ()-[r:\`${type}\` {_outgraphId: id}]->()
RETURN elementId(r) AS elementId, id`;
    const rows = await query<{ elementId: string; id: string }>(statement, { ids: members.map(({ id }) => id) });
    found.push(...rows.map((row): MarkedRelationship => ({ kind: 'relationship', type, ...row, shares: 0 })));
  }
  return found;
}

async function correct(tx: ManagedTransaction, damaged: readonly DamagedAggregate[]): Promise<void> {
  const query: Query = (statement, parameters) => runStatement(tx, statement, parameters);
  const known = await lockAggregates(tx, damaged.map(({ key }) => key).sort());
  const lines = damagedLines(damaged, known);
  const relationships = lines.flatMap(({ listed, isMisplaced }) =>
    listed.kind === 'relationship' && isMisplaced ? [listed] : [],
  );
  const ends = await deleteReleased(tx, relationships);
  const stored = await readStored(query, lines);
  const entries = [...Map.groupBy(lines, ({ key }) => key)].flatMap(([key, ofKey]): readonly RegistryEntry[] => {
    const before = known.get(key);
    if (before === undefined) return [];
    const corrected = new Map(ofKey.map((one) => [one.line, correctLine(one, stored)]));
    const manifest = decodeManifest(before.manifest).flatMap((line) => corrected.get(line) ?? [line]);
    return [{ key, position: before.position, manifest: encodeManifest(manifest), deleted: false }];
  });
  await advanceAggregates(tx, entries);
  await cleanUpNodes(tx, new Set(ends));
}

/** Owners of nodes by identity, and ids of relationships. */
interface StoredNames {
  readonly owners: ReadonlyMap<string, string | null>;
  readonly relationships: ReadonlySet<string>;
}

async function readStored(query: Query, lines: readonly DamagedLine[]): Promise<StoredNames> {
  const nodes = await readNodes(
    query,
    lines.flatMap(({ listed }) => (listed.kind === 'node' ? [listed.endpoint] : [])),
  );
  const relationships = await findRelationships(
    query,
    lines.flatMap(({ listed }) => (listed.kind === 'relationship' ? [listed] : [])),
  );
  return {
    owners: new Map([...nodes].map(([identity, { owner }]) => [identity, owner])),
    relationships: new Set(relationships.map(({ id }) => id)),
  };
}

/** The corrected line. Empty for an element that must be created again. */
function correctLine({ key, line, listed }: DamagedLine, { owners, relationships }: StoredNames): readonly string[] {
  if (listed.kind === 'relationship') {
    if (!relationships.has(listed.id)) return [];
    return listed.shared ? [line] : [withUnknownContent(line)];
  }
  if (listed.shared) return [line];
  // Without its owner's mark, the node can be claimed again.
  return owners.get(listed.endpoint.identity) === key ? [withUnknownContent(line)] : [];
}
