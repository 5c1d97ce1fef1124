/** Combines aggregate definitions into a catalog. */
import { canary } from './canary.ts';
import type { AggregateDefinition } from './define-aggregate.ts';

/**
 * Aggregate definitions by their type.
 *
 * @example
 * const typesOf = (catalog: AggregateCatalog) => [...catalog.keys()];
 */
export type AggregateCatalog = ReadonlyMap<string, AggregateDefinition>;

/**
 * Creates a catalog: the aggregate types that a deployment knows. The consumer projects with it,
 * and the set-up creates its constraints. It also includes the sweep's canary.
 *
 * @throws Error if two definitions have the same type.
 * @example
 * const catalog = createCatalog([person, team]);
 */
export function createCatalog(definitions: readonly AggregateDefinition[]): AggregateCatalog {
  const catalog = new Map<string, AggregateDefinition>();
  for (const definition of [...definitions, canary]) {
    if (catalog.has(definition.type)) throw new Error(`The aggregate type "${definition.type}" is declared twice.`);
    catalog.set(definition.type, definition);
  }
  return catalog;
}

/** Returns the aggregate types of a catalog that have documents: all except the canary. */
export function typesWithDocuments(catalog: AggregateCatalog): readonly AggregateDefinition[] {
  return [...catalog.values()].filter(({ type }) => type !== canary.type);
}
