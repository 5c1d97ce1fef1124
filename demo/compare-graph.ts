/**
 * Compares the graph with the expected one, element by element. The expected graph comes from the
 * documents' projections, or from another picture.
 */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { expectedGraph, type GraphPicture } from '../lib/testing/expected-graph.ts';
import { readDocumentStates } from '../test/support/model/document-states.ts';
import { readGraph } from '../test/support/model/read-graph.ts';
import { memoryEvent } from '../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../xmem/aggregates/memory-user.ts';

/** The result of comparing the graph with the expected one. */
export interface Comparison {
  readonly nodes: { readonly expected: number; readonly found: number };
  readonly relationships: { readonly expected: number; readonly found: number };
  /** One line for each element that is missing or unexpected. */
  readonly differences: readonly string[];
}

/**
 * Reads all documents of the temporal memory and its whole graph. Run it when nothing is pending.
 */
export async function compareGraph(db: Db, driver: Driver, neo4jDatabase: string): Promise<Comparison> {
  const states = [...(await readDocumentStates(db, memoryUser)), ...(await readDocumentStates(db, memoryEvent))];
  return comparePictures(
    expectedGraph(states),
    await readGraph(driver, neo4jDatabase, { User: ['user_id'], Date: ['date'] }),
  );
}

/** Elements that are expected but not found, and elements that are found but not expected. */
export function comparePictures(expected: GraphPicture, found: GraphPicture): Comparison {
  return {
    nodes: { expected: expected.nodes.size, found: found.nodes.size },
    relationships: { expected: expected.relationships.size, found: found.relationships.size },
    differences: [
      ...differences(expected.nodes, found.nodes),
      ...differences(expected.relationships, found.relationships),
    ],
  };
}

function differences(expected: ReadonlySet<string>, found: ReadonlySet<string>): readonly string[] {
  const missing = [...expected].filter((element) => !found.has(element)).map((element) => `missing: ${element}`);
  const extra = [...found].filter((element) => !expected.has(element)).map((element) => `unexpected: ${element}`);
  return [...missing, ...extra];
}
