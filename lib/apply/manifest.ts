/**
 * The manifest: what one aggregate lists in the graph right now, kept on its registry node. It holds the identity and the content hash of each
 * element, no property values: enough to tell what a new state adds, changes and releases without searching the graph.
 */
import { nodeContent, nodeIdentity, relationshipContent, relationshipId } from '../contract/identity.ts';
import type { Endpoint, KeyValue, Subgraph } from '../contract/subgraph.ts';

/** A node that the aggregate lists. */
export interface ManifestNode extends Endpoint {
  readonly shared: boolean;
  readonly content: string;
}

/** A relationship that the aggregate lists; `id` is its `_outgraphId` in the graph. */
export interface ManifestRelationship {
  readonly type: string;
  readonly id: string;
  readonly shared: boolean;
  readonly content: string;
}

/** Nodes by their identity, relationships by their id. */
export interface Manifest {
  readonly nodes: ReadonlyMap<string, ManifestNode>;
  readonly relationships: ReadonlyMap<string, ManifestRelationship>;
}

/** An aggregate that lists nothing: never seen, or deleted. */
export const emptyManifest: Manifest = { nodes: new Map(), relationships: new Map() };

/** The manifest of a subgraph; of null, a deletion, the empty one. `owner` is the aggregate's key (`type:id`). */
export function createManifest(subgraph: Subgraph | null, owner: string): Manifest {
  if (subgraph === null) return emptyManifest;
  const nodes = new Map<string, ManifestNode>();
  for (const node of subgraph.nodes) {
    const { label, key, shared } = node;
    nodes.set(nodeIdentity(node), { label, key, shared, content: nodeContent(node) });
  }
  const relationships = new Map<string, ManifestRelationship>();
  for (const relationship of subgraph.relationships) {
    const id = relationshipId(relationship, owner);
    const { type, shared } = relationship;
    relationships.set(id, { type, id, shared, content: relationshipContent(relationship) });
  }
  return { nodes, relationships };
}

type EncodedNode = readonly [
  label: string,
  key: readonly (readonly [string, string | boolean])[],
  shared: 0 | 1,
  content: string,
];
type EncodedRelationship = readonly [type: string, id: string, shared: 0 | 1, content: string];
interface Encoded {
  readonly v: 1;
  readonly n: readonly EncodedNode[];
  readonly r: readonly EncodedRelationship[];
}

/** The manifest as the text that the registry node holds. `v` is the version of this form. */
export function encodeManifest(manifest: Manifest): string {
  const encoded: Encoded = {
    v: 1,
    n: [...manifest.nodes.values()].map((node) => [node.label, encodeKey(node.key), node.shared ? 1 : 0, node.content]),
    r: [...manifest.relationships.values()].map((item) => [item.type, item.id, item.shared ? 1 : 0, item.content]),
  };
  return JSON.stringify(encoded);
}

/**
 * Reads a manifest back.
 *
 * @throws Error if it was written by a version of outgraph that this one does not know.
 */
export function decodeManifest(text: string): Manifest {
  const encoded = JSON.parse(text) as Encoded;
  if (encoded.v !== 1)
    throw new Error(`The registry holds a manifest of version ${String(encoded.v)}; this outgraph reads version 1.`);
  const nodes = new Map<string, ManifestNode>();
  for (const [label, key, shared, content] of encoded.n) {
    const node = { label, key: decodeKey(key), shared: shared === 1, content };
    nodes.set(nodeIdentity(node), node);
  }
  const relationships = new Map<string, ManifestRelationship>();
  for (const [type, id, shared, content] of encoded.r)
    relationships.set(id, { type, id, shared: shared === 1, content });
  return { nodes, relationships };
}

function encodeKey(key: Endpoint['key']): readonly (readonly [string, string | boolean])[] {
  return Object.entries(key).map(([name, value]) => [name, encodeKeyValue(value)] as const);
}

function encodeKeyValue(value: KeyValue): string | boolean {
  if (typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? `i${value}` : `s${value}`;
}

function decodeKey(entries: readonly (readonly [string, string | boolean])[]): Readonly<Record<string, KeyValue>> {
  return Object.fromEntries(entries.map(([name, value]) => [name, decodeKeyValue(value)]));
}

function decodeKeyValue(value: string | boolean): KeyValue {
  if (typeof value === 'boolean') return value;
  return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1);
}
