/**
 * The properties that identify a node of each label, from all uniqueness constraints of the graph,
 * including the user's.
 */
import type { Driver } from 'neo4j-driver';
import { readGraphSchema } from './neo4j-schema.ts';

/**
 * Sorted sets of key properties by label. Only the user's constraints give a label several sets.
 */
export type KeyNames = ReadonlyMap<string, readonly (readonly string[])[]>;

/** @throws Fault `neo4j-unavailable`. */
export async function readKeyNames(driver: Driver, database: string): Promise<KeyNames> {
  return (await readGraphSchema(driver, database)).labels;
}

/**
 * For long work: rereads the names when they are older than a second, because a consumer creates
 * the constraint of a new label before its first node.
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
