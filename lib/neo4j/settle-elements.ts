/**
 * Brings single elements to what the registry lists: what nobody lists goes, or becomes bare while relationships hold it, and a count of sharers becomes the number of those that list it. For a graph that somebody else
 * has changed.
 *
 * The elements are locked before the registry is read. Whoever lists one or ceases to needs its lock before the commit: either that is done, and its manifest is seen, or it comes after this transaction, and finds what
 * this one has left.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import { decodeManifest, readLine } from '../apply/manifest.ts';
import { readNodeIdentity } from '../contract/identity.ts';
import type { MarkedElement, MarkedNode, MarkedRelationship } from '../contract/standing-graph.ts';
import { cleanUpNodes } from './clean-up-nodes.ts';
import { type Listings, readListings } from './count-listings.ts';
import type { Query } from './read.ts';
import { type KeyNames, lookAgain } from './read-elements.ts';
import { runStatement } from './run-statement.ts';
import { toParameters } from './to-parameter.ts';
import { withNeo4jFaults } from './translate-error.ts';
import { inWriteTransaction } from './write-transaction.ts';

/** Returns how many were changed or removed. @throws Fault `neo4j-unavailable`. */
export async function settleElements(
  driver: Driver,
  database: string,
  keyNames: KeyNames,
  elements: readonly MarkedElement[],
): Promise<number> {
  return withNeo4jFaults(() =>
    inWriteTransaction(driver, database, (tx) => settleInTransaction(tx, keyNames, elements)),
  );
}

/** As `settleElements`, as a part of a transaction. */
export async function settleInTransaction(
  tx: ManagedTransaction,
  keyNames: KeyNames,
  elements: readonly MarkedElement[],
): Promise<number> {
  const query: Query = (statement, parameters) => runStatement(tx, statement, parameters);
  const ids = { nodes: idsOf(elements, 'node'), relationships: idsOf(elements, 'relationship') };
  await lock(query, ids);
  const standing = await lookAgain(query, keyNames, elements);
  const listings = await readListings(query, standing);
  const listed = await readOwnedNodes(query, standing);
  const nodes = standing
    .filter((element) => element.kind === 'node')
    .flatMap((node) => planNode(node, listings.get(node.elementId)?.shared ?? 0, listed));
  const relationships = standing
    .filter((element) => element.kind === 'relationship')
    .flatMap((relationship) => planRelationship(relationship, listings.get(relationship.elementId) ?? noListings));
  await writeNodes(query, nodes);
  const ends = await writeRelationships(query, relationships);
  await cleanUpNodes(tx, new Set([...nodes.filter(({ shares }) => shares === 0).map(({ id }) => id), ...ends]));
  await unlock(query, ids);
  return nodes.length + relationships.length;
}

const noListings: Listings = { owned: 0, shared: 0 };

interface NodePlan {
  readonly id: string;
  readonly shares: number;
  /** The labels and the key that name it; nothing else stays. */
  readonly labels: readonly string[];
  readonly key: Readonly<Record<string, unknown>>;
}

/** Nothing where the node is as it should be. */
function planNode(
  { elementId, owner, shares, identities, lonely }: MarkedNode,
  listings: number,
  listed: ReadonlySet<string>,
): readonly NodePlan[] {
  if (owner !== null && identities.some((identity) => listed.has(ownedName(owner, identity)))) return [];
  if (owner === null && shares === listings && !(shares === 0 && lonely)) return [];
  const names = identities.map(readNodeIdentity);
  return [
    {
      id: elementId,
      shares: listings,
      labels: names.map(({ label }) => label),
      key: toParameters(Object.assign({}, ...names.map(({ key }) => key))),
    },
  ];
}

interface RelationshipPlan {
  readonly id: string;
  readonly isRemoved: boolean;
  /** Null: it is owned. */
  readonly shares: bigint | null;
}

function planRelationship(
  { elementId, shares }: MarkedRelationship,
  { owned, shared }: Listings,
): readonly RelationshipPlan[] {
  if (owned + shared > 0 && (shares ?? 0) === shared) return [];
  return [{ id: elementId, isRemoved: owned + shared === 0, shares: shared === 0 ? null : BigInt(shared) }];
}

/** The nodes that the owners of these elements list as theirs. */
async function readOwnedNodes(query: Query, elements: readonly MarkedElement[]): Promise<ReadonlySet<string>> {
  const owners = new Set(elements.flatMap((element) => (element.kind === 'node' ? (element.owner ?? []) : [])));
  const statement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key}) WHERE a.deletedAt IS NULL
RETURN key, a.manifest AS manifest`;
  const rows = await query<{ key: string; manifest: string }>(statement, { keys: [...owners] });
  return new Set(
    rows.flatMap(({ key, manifest }) =>
      decodeManifest(manifest)
        .map(readLine)
        .flatMap((line) => (line.kind === 'node' && !line.shared ? ownedName(key, line.endpoint.identity) : [])),
    ),
  );
}

function ownedName(owner: string, identity: string): string {
  return `${owner} ${identity}`;
}

async function writeNodes(query: Query, plans: readonly NodePlan[]): Promise<void> {
  const statement = `
UNWIND $rows AS row
MATCH (n) WHERE elementId(n) = row[0]
WITH n, row, [label IN labels(n) WHERE NOT label IN row[1]] AS others
SET n = row[2]
REMOVE n:$(others)`;
  const rows = plans.map(({ id, shares, labels, key }) => {
    const count = shares > 0 ? { _outgraphShares: BigInt(shares) } : {};
    return [id, labels, { ...key, _outgraph: true, ...count }];
  });
  await query(statement, { rows });
}

/** Returns the ends of those that were removed. */
async function writeRelationships(query: Query, plans: readonly RelationshipPlan[]): Promise<readonly string[]> {
  const kept = plans.filter(({ isRemoved }) => !isRemoved).map(({ id, shares }) => [id, shares]);
  await query('UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row[0] SET r._outgraphShares = row[1]', {
    rows: kept,
  });
  const removed = plans.filter(({ isRemoved }) => isRemoved).map(({ id }) => id);
  const statement = `
UNWIND $ids AS id
MATCH (a)-[r]->(b) WHERE elementId(r) = id
WITH r, [elementId(a), elementId(b)] AS ends
DELETE r
RETURN ends`;
  const rows = await query<{ ends: readonly string[] }>(statement, { ids: removed });
  return rows.flatMap(({ ends }) => ends);
}

interface ElementIds {
  readonly nodes: readonly string[];
  readonly relationships: readonly string[];
}

async function lock(query: Query, ids: ElementIds): Promise<void> {
  await query('UNWIND $nodes AS id MATCH (n) WHERE elementId(n) = id SET n._outgraphLock = true', { ...ids });
  await query('UNWIND $relationships AS id MATCH ()-[r]->() WHERE elementId(r) = id SET r._outgraphLock = true', {
    ...ids,
  });
}

async function unlock(query: Query, ids: ElementIds): Promise<void> {
  await query('UNWIND $nodes AS id MATCH (n) WHERE elementId(n) = id REMOVE n._outgraphLock', { ...ids });
  await query('UNWIND $relationships AS id MATCH ()-[r]->() WHERE elementId(r) = id REMOVE r._outgraphLock', {
    ...ids,
  });
}

/** Sorted: one order of locks. */
function idsOf(elements: readonly MarkedElement[], kind: MarkedElement['kind']): readonly string[] {
  return elements
    .filter((element) => element.kind === kind)
    .map(({ elementId }) => elementId)
    .sort();
}
