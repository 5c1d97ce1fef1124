/**
 * Compares an aggregate's new state with the manifest of its old one. Pure: equal inputs give equal
 * diffs. A diff omits elements whose content did not change.
 */
import type {
  GraphProperties,
  NamedEndpoint,
  Subgraph,
  SubgraphNode,
  SubgraphRelationship,
} from '../contract/subgraph.ts';
import {
  createManifest,
  emptyManifest,
  type ListedNode,
  type ListedRelationship,
  type Manifest,
  readLine,
  readRelationshipLine,
} from './manifest.ts';

/**
 * A node that the aggregate no longer lists in the same way. A node that changes from owned to
 * shared is both released and claimed.
 */
export interface NodeRelease {
  readonly endpoint: NamedEndpoint;
  readonly shared: boolean;
}

/** A relationship that the aggregate did not list before. */
export interface RelationshipCreation {
  readonly type: string;
  readonly id: string;
  readonly shared: boolean;
  readonly from: NamedEndpoint;
  readonly to: NamedEndpoint;
  readonly properties: GraphProperties;
}

/** An owned relationship whose properties changed. */
export interface RelationshipChange {
  readonly type: string;
  readonly id: string;
  readonly properties: GraphProperties;
}

/** A relationship that the aggregate no longer lists. */
export interface RelationshipRelease {
  readonly type: string;
  readonly id: string;
  readonly shared: boolean;
}

/** Everything that one aggregate's new state changes. */
export interface AggregateDiff {
  /** Nodes that it did not list in this way before; these claims may be refused. */
  readonly claims: readonly SubgraphNode[];
  /** Nodes that it owned before and still owns, with changed content. */
  readonly changedNodes: readonly SubgraphNode[];
  readonly releases: readonly NodeRelease[];
  readonly created: readonly RelationshipCreation[];
  readonly changed: readonly RelationshipChange[];
  readonly released: readonly RelationshipRelease[];
}

const emptySubgraph: Subgraph = { nodes: [], relationships: [] };

/**
 * The diff from the manifest `before` to `subgraph`. A null subgraph is a deletion: it lists
 * nothing.
 *
 * @param owner the aggregate's key in the registry.
 * @param manifest the subgraph's manifest, if the caller already has it: its hashes are most of a
 * diff's cost.
 */
export function diff(
  before: Manifest,
  subgraph: Subgraph | null,
  owner: string,
  manifest: Manifest = createManifest(subgraph, owner),
): AggregateDiff {
  const after = new Set(manifest);
  const removed = before.filter((line) => !after.has(line)).map(readLine);
  const { nodes, relationships } = subgraph ?? emptySubgraph;
  const known = new Set(before);
  const isNew = (index: number) => !known.has(manifest[index] ?? '');
  const newNodes = nodes.filter((_, index) => isNew(index));
  const newRelationships = relationships.flatMap((relationship, index) => {
    const place = nodes.length + index;
    return isNew(place) ? [{ ...relationship, id: readRelationshipLine(manifest[place] ?? '').id }] : [];
  });
  return { ...diffNodes(removed, newNodes), ...diffRelationships(removed, newRelationships) };
}

/**
 * A diff that uses the manifest only to find what to remove. It deletes every owned relationship by
 * its id, if it exists, and creates it again. It is the fallback after the normal diff failed
 * because another program changed the graph.
 */
export function diffCarefully(
  before: Manifest,
  subgraph: Subgraph | null,
  owner: string,
  manifest: Manifest = createManifest(subgraph, owner),
): AggregateDiff {
  const short = diff(before, subgraph, owner, manifest);
  const { created } = diff(emptyManifest, subgraph, owner, manifest);
  const shared = <Item extends { readonly shared: boolean }>(items: readonly Item[]) =>
    items.filter((item) => item.shared);
  const anyOwned = new Map<string, RelationshipRelease>();
  for (const { type, id } of ownedOnly([...relationshipsIn(before.map(readLine)), ...created]))
    anyOwned.set(id, { type, id, shared: false });
  return {
    ...short,
    claims: [...short.claims, ...short.changedNodes],
    changedNodes: [],
    created: [...ownedOnly(created), ...shared(short.created)],
    changed: [],
    released: [...anyOwned.values(), ...shared(short.released)],
  };
}

/** The items that are owned, not shared. */
export function ownedOnly<Item extends { readonly shared: boolean }>(items: readonly Item[]): readonly Item[] {
  return items.filter((item) => !item.shared);
}

type Listed = ListedNode | ListedRelationship;

/** `removed`: lines in the old manifest only. `listed`: nodes in the new manifest only. */
function diffNodes(
  removed: readonly Listed[],
  listed: readonly SubgraphNode[],
): Pick<AggregateDiff, 'claims' | 'changedNodes' | 'releases'> {
  const sharedNow = new Map(listed.map(({ identity, shared }) => [identity, shared]));
  const before = removed.filter((line) => line.kind === 'node');
  const ownedBefore = new Set(ownedOnly(before).map(({ endpoint }) => endpoint.identity));
  const isChanged = (node: SubgraphNode) => !node.shared && ownedBefore.has(node.identity);
  return {
    claims: listed.filter((node) => !isChanged(node)),
    changedNodes: listed.filter(isChanged),
    releases: before
      .filter(({ endpoint, shared }) => sharedNow.get(endpoint.identity) !== shared)
      .map(({ endpoint, shared }) => ({ endpoint, shared })),
  };
}

function diffRelationships(
  removed: readonly Listed[],
  listed: readonly (SubgraphRelationship & { readonly id: string })[],
): Pick<AggregateDiff, 'created' | 'changed' | 'released'> {
  const before = relationshipsIn(removed);
  const knownIds = new Set(before.map(({ id }) => id));
  const listedIds = new Set(listed.map(({ id }) => id));
  return {
    created: listed
      .filter(({ id }) => !knownIds.has(id))
      .map(({ type, id, shared, from, to, properties }) => ({ type, id, shared, from, to, properties })),
    changed: listed.filter(({ id }) => knownIds.has(id)).map(({ type, id, properties }) => ({ type, id, properties })),
    released: before.filter(({ id }) => !listedIds.has(id)).map(({ type, id, shared }) => ({ type, id, shared })),
  };
}

function relationshipsIn(lines: readonly Listed[]): readonly ListedRelationship[] {
  return lines.filter((line) => line.kind === 'relationship');
}
