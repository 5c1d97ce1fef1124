/**
 * Which constraints a subgraph needs before it can be written: a key for each label that names a node, an id for each
 * relationship type.
 */
import type { Endpoint, Subgraph } from '../contract/subgraph.ts';

/** Key property names (sorted) by label, and relationship types. */
export interface GraphNeeds {
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly types: ReadonlySet<string>;
  /** The additional labels of nodes: none of them may have a key. */
  readonly additional: ReadonlySet<string>;
}

/**
 * What prevents a subgraph from being written: the fault's code and message for every event that needs it.
 * `constraint-building` solves itself with time.
 */
export interface SchemaProblem {
  readonly code: LastingCode | 'constraint-building';
  readonly message: string;
}

type LastingCode = 'key-mismatch' | 'label-not-declared' | 'type-not-declared' | 'label-keyed' | 'labels-too-many';

/** The needs of one subgraph, or of none (a deletion). */
export function graphNeeds(subgraph: Subgraph | null): GraphNeeds {
  const labels = new Map<string, readonly string[]>();
  const types = new Set<string>();
  const additional = new Set<string>();
  const need = (endpoint: Endpoint) => labels.set(endpoint.label, Object.keys(endpoint.key));
  for (const node of subgraph?.nodes ?? []) {
    need(node);
    for (const label of node.labels) additional.add(label);
  }
  for (const relationship of subgraph?.relationships ?? []) {
    need(relationship.from);
    need(relationship.to);
    types.add(relationship.type);
  }
  return { labels, types, additional };
}
