/** Compares an aggregate's elements in the graph with its subgraph. Pure. */
import { nodeContent, relationshipContent, relationshipId, relationshipName } from '../../lib/contract/identity.ts';
import type { GraphProperties, Subgraph, SubgraphNode, SubgraphRelationship } from '../../lib/contract/subgraph.ts';
import type { StoredElements, StoredNode, StoredRelationship } from '../../lib/graph/stored-graph.ts';
import type { Difference } from './difference.ts';

/**
 * The elements of `subgraph` that are missing or different in the graph. `owner` is the aggregate's
 * key.
 */
export function compareElements(owner: string, subgraph: Subgraph, stored: StoredElements): readonly Difference[] {
  const differences: Difference[] = [];
  const add = (element: string, reason: string | null, others: Pick<Difference, 'ends'> = {}) => {
    if (reason === null) return;
    const misplaced = reason === otherEnds ? ({ isMisplaced: true } as const) : {};
    differences.push({ kind: 'changed', aggregate: owner, element, reason, ...others, ...misplaced });
  };
  for (const node of subgraph.nodes) add(node.identity, nodeProblem(owner, node, stored.nodes.get(node.identity)));
  for (const relationship of subgraph.relationships) {
    const id = relationshipId(relationship, owner);
    const { type, from, to } = relationship;
    const ends = { type, from: from.identity, to: to.identity };
    add(relationshipName(type, id), relationshipProblem(relationship, stored.relationships.get(id)), { ends });
  }
  return differences;
}

const otherEnds = 'It has different ends, or their labels or keys were changed.';

function nodeProblem(owner: string, node: SubgraphNode, stored: StoredNode | undefined): string | null {
  if (stored === undefined) return 'The node is gone.';
  // The node's owner, not this aggregate, determines its content.
  if (node.shared && stored.owner !== null) return null;
  if (node.shared && stored.shares <= 0) return 'The node has lost its share count.';
  if (!node.shared && stored.owner !== owner) return 'The node has lost the mark of its owner.';
  const labels = stored.labels.filter((label) => label !== node.label).sort();
  const properties = without(stored.properties, Object.keys(node.key));
  if (nodeContent({ labels, properties }) === nodeContent(node)) return null;
  if (labels.join() !== node.labels.join()) return 'Its labels differ.';
  return `Its properties differ: ${differingNames(properties, node.properties).join(', ')}.`;
}

function relationshipProblem(
  relationship: SubgraphRelationship,
  stored: StoredRelationship | undefined,
): string | null {
  if (stored === undefined) return 'The relationship is gone.';
  if (!stored.from.includes(relationship.from.identity) || !stored.to.includes(relationship.to.identity))
    return otherEnds;
  const { properties } = stored;
  if (relationshipContent({ properties }) === relationshipContent(relationship)) return null;
  return `Its properties differ: ${differingNames(properties, relationship.properties).join(', ')}.`;
}

function without(properties: GraphProperties, names: readonly string[]): GraphProperties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** Returns only names: a report never contains values. */
function differingNames(left: GraphProperties, right: GraphProperties): readonly string[] {
  const content = (properties: GraphProperties, name: string) => {
    const value = properties[name];
    return value === undefined ? undefined : nodeContent({ labels: [], properties: { [name]: value } });
  };
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names.filter((name) => content(left, name) !== content(right, name));
}
