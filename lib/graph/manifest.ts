/**
 * The manifest lists everything that one aggregate has in the graph, and is stored on its registry
 * node. It has one line for each element, with the element's name and a hash of its content. An
 * element whose line is in both the old and the new manifest is unchanged, and needs neither a
 * search nor parsing.
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

/** An aggregate's lines: its nodes, then its relationships, in the order of the subgraph. */
export type Manifest = readonly string[];

/** The node that a line describes. */
export interface ListedNode {
  readonly kind: 'node';
  readonly shared: boolean;
  readonly endpoint: NamedEndpoint;
}

/** The relationship that a line describes; `id` is its `_outgraphId` in the graph. */
export interface ListedRelationship {
  readonly kind: 'relationship';
  readonly shared: boolean;
  readonly type: string;
  readonly id: string;
}

/** An aggregate that lists nothing: unknown or deleted. */
export const emptyManifest: Manifest = [];

/**
 * Creates a subgraph's manifest. A null subgraph (a deletion) has the empty manifest. `owner` is
 * the aggregate's key in the registry.
 */
export function createManifest(subgraph: Subgraph | null, owner: string): Manifest {
  if (subgraph === null) return emptyManifest;
  return [
    ...subgraph.nodes.map(nodeLine),
    ...subgraph.relationships.map((relationship) => relationshipLine(relationship, owner)),
  ];
}

// A line has a kind, a content hash and a name, separated by spaces. Kind and hash contain no
// space. A name contains no line break: it is JSON, or an id and a type.
const ownedNode = 'n';
const sharedNode = 's';
const ownedRelationship = 'r';
const sharedRelationship = 't';

function nodeLine(node: SubgraphNode): string {
  return node.shared ? sharedNodeLine(node.identity) : `${ownedNode} ${nodeContent(node)} ${node.identity}`;
}

/** The line of a node listed as shared: the same for every aggregate that shares it. */
export function sharedNodeLine(identity: string): string {
  return `${sharedNode} - ${identity}`;
}

function relationshipLine(relationship: SubgraphRelationship, owner: string): string {
  const kind = relationship.shared ? sharedRelationship : ownedRelationship;
  return `${kind} ${relationshipContent(relationship)} ${relationshipId(relationship, owner)} ${relationship.type}`;
}

/**
 * The line of the same owned element, with a content that equals no hash. The aggregate's next
 * state then always counts as a change of the element.
 */
export function withUnknownContent(line: string): string {
  return `${line.slice(0, 1)} ${unknownContent} ${line.slice(line.indexOf(' ', 2) + 1)}`;
}

const unknownContent = '!';

/** Reads an element's name from its line. */
export function readLine(line: string): ListedNode | ListedRelationship {
  const kind = line.slice(0, 1);
  if (kind !== ownedNode && kind !== sharedNode) return readRelationshipLine(line);
  const endpoint = readNodeIdentity(line.slice(line.indexOf(' ', 2) + 1));
  return { kind: 'node', shared: kind === sharedNode, endpoint };
}

/** The name of a listed element in reports: a node's identity, or a relationship's type and id. */
export function listedName(listed: ListedNode | ListedRelationship): string {
  return listed.kind === 'node' ? listed.endpoint.identity : relationshipName(listed.type, listed.id);
}

/** As `readLine`, for a relationship's line. */
export function readRelationshipLine(line: string): ListedRelationship {
  const [kind, _content, id = '', type = ''] = line.split(' ');
  return { kind: 'relationship', shared: kind === sharedRelationship, type, id };
}

/**
 * The manifest's format version: the number on its first line. Increase it with every change to the
 * text's format or to how a line is made, including its hashes; a test keeps the lines of each
 * version. Readers come first: one release reads the new version and the next one writes it, so
 * that you can always roll back by one release.
 */
export const manifestForm = 2;

/** Encodes a manifest for the registry node: a line break before and after every line. */
export function encodeManifest(manifest: Manifest): string {
  return `${[manifestForm, ...manifest].join('\n')}\n`;
}

/**
 * Decodes a manifest.
 *
 * @throws Fault `manifest-unknown` if this version does not know the format. The event is valid,
 * and is retried until a version that reads the format is deployed.
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
      'A newer version of outgraph has written to this graph: its manifests have ' +
        `form ${found}, and this version reads form ${manifestForm}. ` +
        'Deploy the newer version again. Events of these aggregates stay pending until then.',
    );
  }
  return new Fault(
    'manifest-unknown',
    `The registry holds a manifest whose form begins with "${found.slice(0, 8)}", and this version reads ` +
      `form ${manifestForm}. Upgrade through a version that reads both forms, or rebuild the graph.`,
  );
}
