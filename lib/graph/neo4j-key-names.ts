/** Which properties name a node of a label, by all uniqueness constraints of the graph, whoever has made them. */
import type { Driver } from 'neo4j-driver';
import { readGraphSchema } from './neo4j-schema.ts';

/** By label, the sets of key properties, each sorted: a label has one, unless somebody added constraints of his own. */
export type KeyNames = ReadonlyMap<string, readonly (readonly string[])[]>;

/** @throws Fault `neo4j-unavailable`. */
export async function readKeyNames(driver: Driver, database: string): Promise<KeyNames> {
  return (await readGraphSchema(driver, database)).labels;
}

/**
 * For long work: read anew when they are older than a second, because a consumer makes the constraint of a new label
 * before its first node.
 */
export function recentKeyNames(driver: Driver, database: string): () => Promise<KeyNames> {
  let readAt = Number.NEGATIVE_INFINITY;
  let names: Promise<KeyNames> = Promise.resolve(new Map());
  return () => {
    if (performance.now() - readAt > maxAgeMillis) {
      names = readKeyNames(driver, database);
      readAt = performance.now();
    }
    return names;
  };
}

const maxAgeMillis = 1_000;
