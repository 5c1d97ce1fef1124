/**
 * The constraints that a subgraph needs before it can be written: a key for each label that names a
 * node, and an id for each relationship type.
 */
import type { Endpoint, Subgraph } from '../contract/subgraph.ts';

/** Key property names (sorted) by label, and relationship types. */
export interface GraphNeeds {
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly types: ReadonlySet<string>;
  /** Additional labels of nodes; none of them may have a key. */
  readonly additional: ReadonlySet<string>;
}

/**
 * Why a subgraph cannot be written: the fault code and message for every event that needs the
 * constraint. `constraint-building` resolves itself.
 */
export interface SchemaProblem {
  readonly code: LastingCode | 'constraint-building';
  readonly message: string;
}

type LastingCode = 'key-mismatch' | 'label-not-declared' | 'type-not-declared' | 'label-keyed' | 'labels-too-many';

/** The needs of one subgraph; a deletion (null) needs nothing. */
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
