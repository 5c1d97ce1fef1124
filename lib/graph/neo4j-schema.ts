/**
 * The constraints that the apply requires. Without a uniqueness constraint on a label's key, MERGE
 * takes no lock, and two consumers would create the same node twice. The set-up creates the
 * declared constraints; the consumer creates those of a new label before its first apply.
 */
import type { Driver, EagerResult } from 'neo4j-driver';
import { registryLabel } from '../contract/subgraph.ts';
import type { GraphNeeds } from './graph-needs.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';

/**
 * The graph's uniqueness constraints: key property names (sorted) by label, and the relationship
 * types whose `_outgraphId` is unique.
 */
export interface GraphSchema {
  readonly labels: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** A label's key according to outgraph's own constraint. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  readonly types: ReadonlySet<string>;
}

/**
 * The names of outgraph's own constraints: one name for each label and type, so that two consumers
 * cannot give a label different keys.
 */
export const keyConstraint = (label: string) => `outgraph_key_${label}`;
export const idConstraint = (type: string) => `outgraph_rel_${type}`;

interface ConstraintRow {
  readonly name: string;
  readonly entityType: 'NODE' | 'RELATIONSHIP';
  readonly names: readonly string[];
  readonly properties: readonly string[];
}

/** Reads the uniqueness constraints of the graph. @throws Fault `neo4j-unavailable`. */
export async function readGraphSchema(driver: Driver, database: string): Promise<GraphSchema> {
  const statement = `SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes AS names, properties
    WHERE type IN ['UNIQUENESS', 'NODE_PROPERTY_UNIQUENESS', 'RELATIONSHIP_UNIQUENESS',
      'RELATIONSHIP_PROPERTY_UNIQUENESS', 'NODE_KEY', 'RELATIONSHIP_KEY']
    RETURN name, entityType, names, properties`;
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery<EagerResult<ConstraintRow & Record<string, unknown>>>(
      statement,
      {},
      { database, ...noBookmarks },
    ),
  );
  const labels = new Map<string, (readonly string[])[]>();
  const keys = new Map<string, readonly string[]>();
  const types = new Set<string>();
  for (const row of records.map((record) => record.toObject())) {
    const [name = ''] = row.names;
    const properties = [...row.properties].sort();
    if (row.entityType === 'RELATIONSHIP') {
      if (properties.join() === '_outgraphId') types.add(name);
      continue;
    }
    labels.set(name, [...(labels.get(name) ?? []), properties]);
    if (row.name === keyConstraint(name)) keys.set(name, properties);
  }
  return { labels, keys, types };
}

/** The needs of the registry itself. */
export const registryNeeds: GraphNeeds = {
  labels: new Map([[registryLabel, ['key']]]),
  types: new Set(),
  additional: new Set(),
};

/** Whether a label has a uniqueness constraint on this key. */
export function hasKey(schema: GraphSchema, label: string, names: readonly string[]): boolean {
  return (schema.labels.get(label) ?? []).some((key) => key.join() === names.join());
}
