/**
 * Every aggregate type that this deployment knows. Add yours here: the consumer projects by this list, and the set-up makes its constraints.
 */
import { canary } from './canary.ts';
import type { AggregateDefinition } from './define-aggregate.ts';
import { graph } from './graph.ts';
import { memoryEvent } from './memory-event.ts';
import { memoryUser } from './memory-user.ts';

/** Aggregate definitions by their type. */
export type AggregateCatalog = ReadonlyMap<string, AggregateDefinition>;

/**
 * Builds a catalog.
 *
 * @throws Error if two definitions have the same type.
 */
export function createCatalog(definitions: readonly AggregateDefinition[]): AggregateCatalog {
  const catalog = new Map<string, AggregateDefinition>();
  for (const definition of definitions) {
    if (catalog.has(definition.type)) throw new Error(`The aggregate type "${definition.type}" is declared twice.`);
    catalog.set(definition.type, definition);
  }
  return catalog;
}

/** The aggregate types of this deployment. */
export const aggregates: AggregateCatalog = createCatalog([graph, memoryUser, memoryEvent, canary]);
