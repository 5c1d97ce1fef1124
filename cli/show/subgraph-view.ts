/**
 * The subgraphs of a document and of the graph, each with both ends of every relationship. Pure.
 */
import { relationshipId } from '../../lib/contract/identity.ts';
import type { NamedEndpoint, Subgraph } from '../../lib/contract/subgraph.ts';
import type { StoredElements, StoredNode } from '../../lib/graph/stored-graph.ts';
import type { ListedElements } from './aggregate-differences.ts';
import type { NodeView, RelationshipView, SubgraphView } from './aggregate-view.ts';

/** The subgraph of a document. @param key the aggregate's. */
export function expectedView(key: string, { nodes, relationships }: Subgraph): SubgraphView {
  const views = new Map<string, NodeView>();
  for (const node of nodes) {
    const { identity, label, labels, properties, shared } = node;
    const hold = shared ? 'shared' : 'owned';
    views.set(identity, { identity, labels: [label, ...labels], properties: { ...node.key, ...properties }, hold });
  }
  for (const end of relationships.flatMap(({ from, to }) => [from, to]))
    if (!views.has(end.identity)) views.set(end.identity, endView(end));
  return {
    nodes: [...views.values()],
    relationships: relationships.map((relationship) => ({
      id: relationshipId(relationship, key),
      type: relationship.type,
      from: relationship.from.identity,
      to: relationship.to.identity,
      properties: relationship.properties,
    })),
  };
}

function endView({ identity, label, key }: NamedEndpoint): NodeView {
  return { identity, labels: [label], properties: key, hold: 'end' };
}

/**
 * The listed elements in the graph.
 *
 * @param ends the unlisted ends of its relationships, by identity.
 */
export function storedView(
  listed: ListedElements,
  stored: StoredElements,
  ends: ReadonlyMap<string, StoredNode>,
): SubgraphView {
  const nodes = new Map<string, NodeView>();
  for (const [identity, node] of stored.nodes) {
    const hold = listed.nodes.get(identity)?.shared === true ? 'shared' : 'owned';
    nodes.set(identity, { identity, labels: node.labels, properties: node.properties, hold });
  }
  const nameEnd = (identities: readonly string[], unnamed: string) => {
    const identity = identities.find((one) => nodes.has(one)) ?? identities[0] ?? unnamed;
    const { labels = [], properties = {} } = ends.get(identity) ?? {};
    if (!nodes.has(identity)) nodes.set(identity, { identity, labels, properties, hold: 'end' });
    return identity;
  };
  const relationships = [...stored.relationships].map(([id, { from, to, properties }]): RelationshipView => {
    const ofType = listed.relationships.get(id) ?? '';
    // A node that has lost its key or label has no identity. Show it as a separate node for each
    // relationship.
    return { id, type: ofType, from: nameEnd(from, `start of ${id}`), to: nameEnd(to, `end of ${id}`), properties };
  });
  return { nodes: [...nodes.values()], relationships };
}

/** The ends of relationships that must still be read. */
export function unreadEnds({ nodes, relationships }: StoredElements): readonly string[] {
  const ends = [...relationships.values()].flatMap(({ from, to }) => [from, to]);
  const unlisted = ends.flatMap((identities) =>
    identities.some((one) => nodes.has(one)) ? [] : identities.slice(0, 1),
  );
  return [...new Set(unlisted)];
}
