/**
 * Makes the registry say what really stands, for elements that somebody else has changed: the apply leaves alone what a manifest calls unchanged. What is gone is listed no more, what has other content is listed with
 * none that any state has, and the next event of the aggregate writes them anew. In one transaction, under the lock of the aggregates: an event that is applied at the same time comes before it or after it.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import {
  decodeManifest,
  encodeManifest,
  type ListedNode,
  type ListedRelationship,
  type Manifest,
  readLine,
  withUnknownContent,
} from '../apply/manifest.ts';
import { relationshipName } from '../contract/identity.ts';
import type { MarkedElement, StandingNode } from '../contract/standing-graph.ts';
import type { NamedEndpoint } from '../contract/subgraph.ts';
import { cleanUpNodes } from './clean-up-nodes.ts';
import type { Query } from './read.ts';
import { type KeyNames, readNodes } from './read-elements.ts';
import { advanceAggregates, lockAggregates, type RegistryEntry } from './registry.ts';
import { runForEvery, runStatement } from './run-statement.ts';
import { settleInTransaction } from './settle-elements.ts';
import { groupByShape, nodePattern } from './shape.ts';
import { withNeo4jFaults } from './translate-error.ts';
import { deleteReleased } from './write-relationships.ts';
import { inWriteTransaction } from './write-transaction.ts';

/** The elements of an aggregate that do not stand as listed. */
export interface DamagedAggregate {
  readonly key: string;
  /** By the names that a verification gives them. */
  readonly names: ReadonlySet<string>;
}

/** Corrects the manifests; the current states of the aggregates are to be recorded after that. @throws Fault `neo4j-unavailable`. */
export async function correctManifests(
  driver: Driver,
  database: string,
  keyNames: KeyNames,
  damaged: readonly DamagedAggregate[],
): Promise<void> {
  await withNeo4jFaults(() => inWriteTransaction(driver, database, (tx) => correct(tx, keyNames, damaged)));
}

/** A line of a manifest that is damaged. */
interface DamagedLine {
  readonly key: string;
  readonly line: string;
  readonly listed: ListedNode | ListedRelationship;
}

type DamagedNode = DamagedLine & { readonly listed: ListedNode };

async function correct(
  tx: ManagedTransaction,
  keyNames: KeyNames,
  damaged: readonly DamagedAggregate[],
): Promise<void> {
  const query: Query = (statement, parameters) => runStatement(tx, statement, parameters);
  const known = await lockAggregates(tx, damaged.map(({ key }) => key).sort());
  const lines = damaged.flatMap(({ key, names }) =>
    decodeManifest(known.get(key)?.manifest ?? encodeManifest([]))
      .map((line): DamagedLine => ({ key, line, listed: readLine(line) }))
      .filter(({ listed }) => names.has(nameOf(listed))),
  );
  const relationships = lines.flatMap(({ listed }) => (listed.kind === 'relationship' ? listed : []));
  const ends = await deleteReleased(tx, relationships);
  const nodes = lines.filter(({ listed }) => listed.kind === 'node') as readonly DamagedNode[];
  const standing = await readNodes(
    query,
    nodes.map(({ listed }) => listed.endpoint),
  );
  const ownerOf = ({ listed }: DamagedNode) => standing.get(listed.endpoint.identity)?.owner ?? null;
  const toSettle = nodes.filter((node) => node.listed.shared || ![null, node.key].includes(ownerOf(node)));
  await settleNodes(
    tx,
    keyNames,
    toSettle.map(({ listed }) => listed.endpoint),
  );
  const byKey = Map.groupBy(lines, ({ key }) => key);
  const entries = [...byKey].flatMap(([key, some]): readonly RegistryEntry[] => {
    const before = known.get(key);
    if (before === undefined) return [];
    const manifest = encodeManifest(correctLines(key, decodeManifest(before.manifest), some, standing));
    return [{ key, position: before.position, manifest, deleted: false }];
  });
  await advanceAggregates(tx, entries);
  await cleanUpNodes(tx, new Set(ends));
}

function correctLines(
  key: string,
  manifest: Manifest,
  damaged: readonly DamagedLine[],
  standing: ReadonlyMap<string, StandingNode>,
): Manifest {
  const lines = new Map(damaged.map(({ line, listed }) => [line, listed]));
  return manifest.flatMap((line) => {
    const listed = lines.get(line);
    if (listed === undefined) return [line];
    if (listed.kind === 'relationship') return [];
    if (listed.shared) return [line];
    // Without its owner's mark it is anybody's, to be claimed again.
    return standing.get(listed.endpoint.identity)?.owner === key ? [withUnknownContent(line)] : [];
  });
}

function nameOf(listed: ListedNode | ListedRelationship): string {
  return listed.kind === 'node' ? listed.endpoint.identity : relationshipName(listed.type, listed.id);
}

/** Makes shared nodes that are gone and counts who shares them, because other aggregates list them as well; takes the mark of an owner that does not list them from the others. */
async function settleNodes(
  tx: ManagedTransaction,
  keyNames: KeyNames,
  endpoints: readonly NamedEndpoint[],
): Promise<void> {
  const locked: MarkedElement[] = [];
  for (const [shape, members] of groupByShape(endpoints, (endpoint) => endpoint)) {
    const statement = `
UNWIND $rows AS row
MERGE ${nodePattern('n', shape, 'row')}
SET n._outgraph = true, n._outgraphLock = true
RETURN elementId(n) AS elementId`;
    const rows = members.map(({ key }) => Object.values(key));
    const found = await runForEvery<{ elementId: string }>(tx, statement, { rows }, rows.length);
    locked.push(...found.map(({ elementId }) => markedNode(elementId)));
  }
  if (locked.length > 0) await settleInTransaction(tx, keyNames, locked);
}

/** All else of it is read under the lock. */
function markedNode(elementId: string): MarkedElement {
  return { kind: 'node', elementId, identities: [], owner: null, shares: 0, lonely: false };
}
