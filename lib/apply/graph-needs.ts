/** Which constraints a subgraph needs before it can be written: a key for each label that names a node, an id for each relationship type. */
import type { Endpoint, Subgraph } from '../contract/subgraph.ts';

/** Key property names (sorted) by label, and relationship types. */
export interface GraphNeeds {
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly types: ReadonlySet<string>;
}

/** What stands in the way of a label or type: the fault's code and message for every event that needs it. */
export interface SchemaProblem {
  readonly code: 'key-mismatch' | 'label-not-declared' | 'type-not-declared';
  readonly message: string;
}

/** Problems by label and by type; empty where all is well. */
export interface SchemaProblems {
  readonly labels: ReadonlyMap<string, SchemaProblem>;
  readonly types: ReadonlyMap<string, SchemaProblem>;
}

/** The needs of one subgraph, or of none (a deletion). */
export function graphNeeds(subgraph: Subgraph | null): GraphNeeds {
  const labels = new Map<string, readonly string[]>();
  const types = new Set<string>();
  const need = (endpoint: Endpoint) => labels.set(endpoint.label, Object.keys(endpoint.key));
  for (const node of subgraph?.nodes ?? []) need(node);
  for (const relationship of subgraph?.relationships ?? []) {
    need(relationship.from);
    need(relationship.to);
    types.add(relationship.type);
  }
  return { labels, types };
}
