/**
 * The manifest: what one aggregate lists in the graph right now, kept on its registry node. One line for each element, with its name and the
 * hash of its content: an element whose line stands in both the old manifest and the new one has not changed, and nothing needs to be searched or
 * parsed for it.
 */
import { nodeContent, readNodeIdentity, relationshipContent, relationshipId } from '../contract/identity.ts';
import type { NamedEndpoint, Subgraph, SubgraphNode, SubgraphRelationship } from '../contract/subgraph.ts';

/** The lines of an aggregate: of its nodes, then of its relationships, each in the order in which the subgraph lists them. */
export type Manifest = readonly string[];

/** A node as its line says it. */
export interface ListedNode {
  readonly kind: 'node';
  readonly shared: boolean;
  readonly endpoint: NamedEndpoint;
}

/** A relationship as its line says it; `id` is its `_outgraphId` in the graph. */
export interface ListedRelationship {
  readonly kind: 'relationship';
  readonly shared: boolean;
  readonly type: string;
  readonly id: string;
}

/** An aggregate that lists nothing: never seen, or deleted. */
export const emptyManifest: Manifest = [];

/** The manifest of a subgraph; of null, a deletion, the empty one. `owner` is the aggregate's key (`type:id`). */
export function createManifest(subgraph: Subgraph | null, owner: string): Manifest {
  if (subgraph === null) return emptyManifest;
  return [
    ...subgraph.nodes.map(nodeLine),
    ...subgraph.relationships.map((relationship) => relationshipLine(relationship, owner)),
  ];
}

// A line is: kind, content, name, with a space between them. Neither kind nor content has one, and a name no line break: it is JSON, or an id and a type.
const ownedNode = 'n';
const sharedNode = 's';
const ownedRelationship = 'r';
const sharedRelationship = 't';

function nodeLine(node: SubgraphNode): string {
  return node.shared ? sharedNodeLine(node.identity) : `${ownedNode} ${nodeContent(node)} ${node.identity}`;
}

/** The line of whoever lists this node as shared: the same for all of them. */
export function sharedNodeLine(identity: string): string {
  return `${sharedNode} - ${identity}`;
}

function relationshipLine(relationship: SubgraphRelationship, owner: string): string {
  const kind = relationship.shared ? sharedRelationship : ownedRelationship;
  return `${kind} ${relationshipContent(relationship)} ${relationshipId(relationship, owner)} ${relationship.type}`;
}

/** What a line says of its element besides the content. */
export function readLine(line: string): ListedNode | ListedRelationship {
  const kind = line.slice(0, 1);
  if (kind !== ownedNode && kind !== sharedNode) return readRelationshipLine(line);
  const endpoint = readNodeIdentity(line.slice(line.indexOf(' ', 2) + 1));
  return { kind: 'node', shared: kind === sharedNode, endpoint };
}

/** As `readLine`, for the line of a relationship. */
export function readRelationshipLine(line: string): ListedRelationship {
  const [kind, _content, id = '', type = ''] = line.split(' ');
  return { kind: 'relationship', shared: kind === sharedRelationship, type, id };
}

/** The version of this form: the first line of the text. */
const version = '2';

/** The manifest as the text that the registry node holds: every line ends with a line break, and has one before it. */
export function encodeManifest(manifest: Manifest): string {
  return `${[version, ...manifest].join('\n')}\n`;
}

/**
 * Reads a manifest back.
 *
 * @throws Error if it was written by a version of outgraph that this one does not know.
 */
export function decodeManifest(text: string): Manifest {
  const [found, ...lines] = text.slice(0, -1).split('\n');
  if (found !== version) {
    throw new Error(
      `The registry holds a manifest of a form that begins with "${found?.slice(0, 8)}"; this outgraph reads form ${version}.`,
    );
  }
  return lines;
}
