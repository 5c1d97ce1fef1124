/**
 * The properties that name a node of each label, by all uniqueness constraints of the graph, including those of users.
 */
import type { Driver } from 'neo4j-driver';
import { readGraphSchema } from './neo4j-schema.ts';

/** Sets of key properties by label, each sorted. A label has one set, unless users added constraints of their own. */
export type KeyNames = ReadonlyMap<string, readonly (readonly string[])[]>;

/** @throws Fault `neo4j-unavailable`. */
export async function readKeyNames(driver: Driver, database: string): Promise<KeyNames> {
  return (await readGraphSchema(driver, database)).labels;
}

/**
 * For long work: reads the names again when they are older than a second, because a consumer creates the constraint of
 * a new label before its first node.
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
