/**
 * Corrects single elements to match the registry, in a graph that another program has changed. An
 * element that no aggregate lists is deleted, or becomes a placeholder while it has relationships.
 * A share count is set to the number of aggregates that list the element.
 *
 * The elements are locked before the registry is read. A transaction that starts or stops listing
 * one of them needs its lock. Either it is already committed, so this reads its manifest, or it
 * comes later and finds the result of this transaction.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import { readNodeIdentity } from '../../lib/contract/identity.ts';
import { decodeManifest, readLine } from '../../lib/graph/manifest.ts';
import { cleanUpNodes } from '../../lib/graph/neo4j-clean-up-nodes.ts';
import { withNeo4jFaults } from '../../lib/graph/neo4j-errors.ts';
import { type KeyNames, readKeyNames } from '../../lib/graph/neo4j-key-names.ts';
import type { Query } from '../../lib/graph/neo4j-read.ts';
import { rereadElements } from '../../lib/graph/neo4j-read-elements.ts';
import { runStatement } from '../../lib/graph/neo4j-run-statement.ts';
import { toParameters } from '../../lib/graph/neo4j-to-parameter.ts';
import { inWriteTransaction } from '../../lib/graph/neo4j-write-transaction.ts';
import type { MarkedElement, MarkedNode, MarkedRelationship } from '../../lib/graph/stored-graph.ts';
import { type Listings, readListings } from './neo4j-count-listings.ts';

/**
 * The registry is read under the locks. On a large graph, that takes longer than the time limit of
 * an apply.
 */
const settleTimeoutSeconds = 600;

export interface ElementsToSettle {
  readonly elements: readonly MarkedElement[];
  /** For shared elements whose content may be wrong too, not only the count. */
  readonly rewrite: boolean;
}

/** Returns how many were changed or removed. @throws Fault `neo4j-unavailable`. */
export async function settleElements(
  driver: Driver,
  database: string,
  { elements: given, rewrite }: ElementsToSettle,
): Promise<number> {
  const elements = [...new Map(given.map((element) => [element.elementId, element])).values()];
  const ids = idsOf(elements);
  const work = async (tx: ManagedTransaction) => {
    const query: Query = (statement, parameters) => runStatement(tx, statement, parameters);
    await lock(query, ids);
    // Read this after taking the locks: a label's constraint exists before its first node.
    const keyNames = await readKeyNames(driver, database);
    const count = await settleLocked(tx, query, keyNames, { elements, rewrite });
    await unlock(query, ids);
    return count;
  };
  return withNeo4jFaults(() => inWriteTransaction(driver, database, work, { timeoutSeconds: settleTimeoutSeconds }));
}

async function settleLocked(
  tx: ManagedTransaction,
  query: Query,
  keyNames: KeyNames,
  { elements, rewrite }: ElementsToSettle,
): Promise<number> {
  const stored = await rereadElements(query, keyNames, elements);
  const listed = await readOwnedNodes(query, stored);
  const isOwned = (element: MarkedElement) =>
    element.kind === 'node' && element.identities.some((identity) => listed.has(ownedName(element.owner, identity)));
  // A node without an identity cannot be judged. Its label, its key or their constraint was
  // removed.
  const isNamed = (element: MarkedElement) => element.kind === 'relationship' || element.identities.length > 0;
  const open = stored.filter((element) => isNamed(element) && !isOwned(element));
  const listings = await readListings(query, open);
  const listingsOf = ({ elementId }: MarkedElement) => listings.get(elementId) ?? noListings;
  const nodes = open
    .filter((element) => element.kind === 'node')
    .flatMap((node) => planNode(node, listingsOf(node).shared, rewrite));
  const relationships = open
    .filter((element) => element.kind === 'relationship')
    .flatMap((relationship) => planRelationship(relationship, listingsOf(relationship), rewrite));
  await writeNodes(query, nodes);
  const ends = await writeRelationships(query, relationships);
  await cleanUpNodes(tx, new Set([...nodes.filter(({ shares }) => shares === 0).map(({ id }) => id), ...ends]));
  return nodes.length + relationships.length;
}

const noListings: Listings = { owned: 0, shared: 0 };

interface NodePlan {
  readonly id: string;
  readonly shares: number;
  /** The label and key of its identity. Everything else is removed. */
  readonly labels: readonly string[];
  readonly key: Readonly<Record<string, unknown>>;
}

/** Returns nothing if the node is correct. Its owner does not list it. */
function planNode(
  { elementId, owner, shares, identities, lonely }: MarkedNode,
  listings: number,
  rewrite: boolean,
): readonly NodePlan[] {
  const isRight = owner === null && shares === listings && !(shares === 0 && lonely);
  if (isRight && !rewrite) return [];
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
  /** Null if it is owned. */
  readonly shares: bigint | null;
  /** Removes everything else. */
  readonly rewrite: boolean;
}

function planRelationship(
  { elementId, shares }: MarkedRelationship,
  { owned, shared }: Listings,
  rewrite: boolean,
): readonly RelationshipPlan[] {
  if (owned + shared > 0 && (shares ?? 0) === shared && !rewrite) return [];
  return [
    {
      id: elementId,
      isRemoved: owned + shared === 0,
      shares: shared === 0 ? null : BigInt(shared),
      rewrite: rewrite && shared > 0,
    },
  ];
}

/** The nodes that the owners of these elements list as owned. */
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

function ownedName(owner: string | null, identity: string): string {
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

/** Returns the ends of removed relationships. */
async function writeRelationships(query: Query, plans: readonly RelationshipPlan[]): Promise<readonly string[]> {
  const kept = plans.filter(({ isRemoved }) => !isRemoved);
  const rows = kept.map(({ id, shares, rewrite }) => [id, shares, rewrite]);
  const rewriting = `
UNWIND $rows AS row
MATCH ()-[r]->() WHERE elementId(r) = row[0]
FOREACH (_ IN CASE WHEN row[2] THEN [1] ELSE [] END | SET r = {_outgraphId: r._outgraphId})
SET r._outgraphShares = row[1]`;
  await query(rewriting, { rows });
  const removed = plans.filter(({ isRemoved }) => isRemoved).map(({ id }) => id);
  const statement = `
UNWIND $ids AS id
MATCH (a)-[r]->(b) WHERE elementId(r) = id
WITH r, [elementId(a), elementId(b)] AS ends
DELETE r
RETURN ends`;
  const deleted = await query<{ ends: readonly string[] }>(statement, { ids: removed });
  return deleted.flatMap(({ ends }) => ends);
}

interface ElementIds extends Readonly<Record<string, readonly string[]>> {
  readonly nodes: readonly string[];
  readonly relationships: readonly string[];
}

/** Sorted, so that the order of locks is consistent. */
function idsOf(elements: readonly MarkedElement[]): ElementIds {
  const ofKind = (kind: MarkedElement['kind']) =>
    elements.flatMap((element) => (element.kind === kind ? element.elementId : [])).sort();
  return { nodes: ofKind('node'), relationships: ofKind('relationship') };
}

async function lock(query: Query, ids: ElementIds): Promise<void> {
  await query('UNWIND $nodes AS id MATCH (n) WHERE elementId(n) = id SET n._outgraphLock = true', ids);
  await query('UNWIND $relationships AS id MATCH ()-[r]->() WHERE elementId(r) = id SET r._outgraphLock = true', ids);
}

async function unlock(query: Query, ids: ElementIds): Promise<void> {
  await query('UNWIND $nodes AS id MATCH (n) WHERE elementId(n) = id REMOVE n._outgraphLock', ids);
  await query('UNWIND $relationships AS id MATCH ()-[r]->() WHERE elementId(r) = id REMOVE r._outgraphLock', ids);
}
