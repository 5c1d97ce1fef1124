/**
 * What one aggregate's new state changes in the graph, against the manifest of its old one. Pure: the same two always give the same
 * diff, and elements whose content did not change do not appear in it at all.
 */
import { nodeIdentity, relationshipId } from '../contract/identity.ts';
import type { Endpoint, GraphProperties, Subgraph, SubgraphNode } from '../contract/subgraph.ts';
import { createManifest, emptyManifest, type Manifest } from './manifest.ts';

/** A node that the aggregate lists anew, or with other content than before. */
export interface NodeClaim {
  readonly identity: string;
  readonly node: SubgraphNode;
}

/** A node that the aggregate no longer lists in the way it did (a node that turns from owned to shared is released and claimed). */
export interface NodeRelease {
  readonly identity: string;
  readonly endpoint: Endpoint;
  readonly shared: boolean;
}

/** A relationship that the aggregate lists anew. */
export interface RelationshipCreation {
  readonly type: string;
  readonly id: string;
  readonly shared: boolean;
  readonly from: Endpoint;
  readonly to: Endpoint;
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

/** All that one aggregate's new state changes; `manifest` is the new one. */
export interface AggregateDiff {
  readonly manifest: Manifest;
  readonly claims: readonly NodeClaim[];
  readonly releases: readonly NodeRelease[];
  readonly created: readonly RelationshipCreation[];
  readonly changed: readonly RelationshipChange[];
  readonly released: readonly RelationshipRelease[];
}

const emptySubgraph: Subgraph = { nodes: [], relationships: [] };

/**
 * The diff from what `before` says to `subgraph`; null, a deletion, lists nothing.
 *
 * @param owner the aggregate's key, `type:id`.
 * @param manifest the subgraph's manifest, where the caller has made it already: its hashes are what a diff costs.
 */
export function diff(
  before: Manifest,
  subgraph: Subgraph | null,
  owner: string,
  manifest: Manifest = createManifest(subgraph, owner),
): AggregateDiff {
  const after = subgraph ?? emptySubgraph;
  return { manifest, ...diffNodes(before, after, manifest), ...diffRelationships(before, after, manifest, owner) };
}

/**
 * The diff that trusts the manifest for nothing but what to remove: every owned relationship is deleted by its id, if it is there, and created
 * again. For a graph that someone else has changed, where the short way failed.
 */
export function diffCarefully(
  before: Manifest,
  subgraph: Subgraph | null,
  owner: string,
  manifest: Manifest = createManifest(subgraph, owner),
): AggregateDiff {
  const short = diff(before, subgraph, owner, manifest);
  const fresh = diff(emptyManifest, subgraph, owner, manifest);
  const shared = <Item extends { readonly shared: boolean }>(items: readonly Item[]) =>
    items.filter((item) => item.shared);
  const anyOwned = new Map<string, RelationshipRelease>();
  for (const { type, id } of ownedOnly([...before.relationships.values(), ...fresh.created]))
    anyOwned.set(id, { type, id, shared: false });
  return {
    ...short,
    created: [...ownedOnly(fresh.created), ...shared(short.created)],
    changed: [],
    released: [...anyOwned.values(), ...shared(short.released)],
  };
}

/** The items that are owned, not shared. */
export function ownedOnly<Item extends { readonly shared: boolean }>(items: readonly Item[]): readonly Item[] {
  return items.filter((item) => !item.shared);
}

function diffNodes(before: Manifest, after: Subgraph, manifest: Manifest): Pick<AggregateDiff, 'claims' | 'releases'> {
  const claims: NodeClaim[] = [];
  for (const node of after.nodes) {
    const identity = nodeIdentity(node);
    if (before.nodes.get(identity)?.content !== manifest.nodes.get(identity)?.content) claims.push({ identity, node });
  }
  const releases: NodeRelease[] = [];
  for (const [identity, { label, key, shared }] of before.nodes) {
    if (manifest.nodes.get(identity)?.shared !== shared) releases.push({ identity, endpoint: { label, key }, shared });
  }
  return { claims, releases };
}

function diffRelationships(
  before: Manifest,
  after: Subgraph,
  manifest: Manifest,
  owner: string,
): Pick<AggregateDiff, 'created' | 'changed' | 'released'> {
  const created: RelationshipCreation[] = [];
  const changed: RelationshipChange[] = [];
  for (const relationship of after.relationships) {
    const id = relationshipId(relationship, owner);
    const { type, from, to, shared, properties } = relationship;
    const known = before.relationships.get(id);
    if (known === undefined) created.push({ type, id, shared, from, to, properties });
    else if (known.content !== manifest.relationships.get(id)?.content) changed.push({ type, id, properties });
  }
  const released: RelationshipRelease[] = [];
  for (const { type, id, shared } of before.relationships.values()) {
    if (!manifest.relationships.has(id)) released.push({ type, id, shared });
  }
  return { created, changed, released };
}
