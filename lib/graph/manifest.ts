/**
 * The manifest: what one aggregate lists in the graph right now, kept on its registry node. One line for each element,
 * with its name and the hash of its content: an element whose line stands in both the old manifest and the new one has
 * not changed, and nothing needs to be searched or parsed for it.
 */
import { Fault } from '../contract/fault.ts';
import {
  nodeContent,
  readNodeIdentity,
  relationshipContent,
  relationshipId,
  relationshipName,
} from '../contract/identity.ts';
import type { NamedEndpoint, Subgraph, SubgraphNode, SubgraphRelationship } from '../contract/subgraph.ts';

/**
 * The lines of an aggregate: of its nodes, then of its relationships, each in the order in which the subgraph lists
 * them.
 */
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

// A line is: kind, content, name, with a space between them. Neither kind nor content has one, and a name no line
// break: it is JSON, or an id and a type.
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

/**
 * The line of the same owned element with a content that no hash is: whatever the aggregate's next state says of it, it
 * has changed.
 */
export function withUnknownContent(line: string): string {
  return `${line.slice(0, 1)} ${unknownContent} ${line.slice(line.indexOf(' ', 2) + 1)}`;
}

const unknownContent = '!';

/** What a line says of its element besides the content. */
export function readLine(line: string): ListedNode | ListedRelationship {
  const kind = line.slice(0, 1);
  if (kind !== ownedNode && kind !== sharedNode) return readRelationshipLine(line);
  const endpoint = readNodeIdentity(line.slice(line.indexOf(' ', 2) + 1));
  return { kind: 'node', shared: kind === sharedNode, endpoint };
}

/** What reports call a listed element: a node by its identity, a relationship by its type and id. */
export function listedName(listed: ListedNode | ListedRelationship): string {
  return listed.kind === 'node' ? listed.endpoint.identity : relationshipName(listed.type, listed.id);
}

/** As `readLine`, for the line of a relationship. */
export function readRelationshipLine(line: string): ListedRelationship {
  const [kind, _content, id = '', type = ''] = line.split(' ');
  return { kind: 'relationship', shared: kind === sharedRelationship, type, id };
}

/**
 * The form of the text: a number, its first line. It goes up with every change of what a text looks like or of how a
 * line is made, hashes included; a test holds the lines that each form has. A new form is read before it is written:
 * one release learns it, the next one writes it, so that going back by one is always possible.
 */
export const manifestForm = 2;

/** The manifest as the text that the registry node holds: every line ends with a line break, and has one before it. */
export function encodeManifest(manifest: Manifest): string {
  return `${[manifestForm, ...manifest].join('\n')}\n`;
}

/**
 * Reads a manifest back.
 *
 * @throws Fault `manifest-unknown` if it has a form that this version does not know. Nothing is wrong with the event:
 * it is retried until a version that does is there.
 */
export function decodeManifest(text: string): Manifest {
  const [found = '', ...lines] = text.slice(0, -1).split('\n');
  if (found !== String(manifestForm)) throw unknownForm(found);
  return lines;
}

function unknownForm(found: string): Fault {
  if (/^[1-9]\d{0,8}$/.test(found) && Number(found) > manifestForm) {
    return new Fault(
      'manifest-unknown',
      `A newer outgraph has written to this graph: its manifests have form ${found}, and this version reads form ${manifestForm}. Deploy the newer version again; until then, events of these aggregates stay pending.`,
    );
  }
  return new Fault(
    'manifest-unknown',
    `The registry holds a manifest whose form begins with "${found.slice(0, 8)}", and this version reads form ${manifestForm}. Upgrade by way of a version that reads both, or build the graph anew.`,
  );
}
