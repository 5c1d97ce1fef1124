/**
 * Every aggregate type that a deployment knows: the consumer projects by this list, and the set-up makes its constraints. Add yours here, or make a list of your own in your
 * own service.
 */
import { canary } from './canary.ts';
import { codeAnnotation } from './code-annotation.ts';
import { codeFile } from './code-file.ts';
import { codeRepository } from './code-repository.ts';
import type { AggregateDefinition } from './define-aggregate.ts';
import { graph } from './graph.ts';
import { memoryEvent } from './memory-event.ts';
import { memoryUser } from './memory-user.ts';

/** Aggregate definitions by their type. */
export type AggregateCatalog = ReadonlyMap<string, AggregateDefinition>;

/**
 * Builds a catalog. The sweep's canary is in each.
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

/** The aggregate types of the functions in `functions/`. */
export const aggregates: AggregateCatalog = createCatalog([
  graph,
  memoryUser,
  memoryEvent,
  codeRepository,
  codeFile,
  codeAnnotation,
]);
