/** Compares the graph with the documents, element by element: what the documents' projections list must be what Neo4j holds. */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import type { AggregateDefinition } from '../../lib/aggregates/define-aggregate.ts';
import { memoryEvent } from '../../lib/aggregates/memory-event.ts';
import { memoryUser } from '../../lib/aggregates/memory-user.ts';
import { projectPayload } from '../../lib/aggregates/project-event.ts';
import { toPosition } from '../../lib/contract/position.ts';
import { exactTypes } from '../../lib/mongodb/read-outbox-event.ts';
import { expectedGraph, type ModelEvent } from '../model/expected-graph.ts';
import { readGraph } from '../model/read-graph.ts';

/** How the graph compares with the documents. */
export interface Comparison {
  readonly nodes: { readonly expected: number; readonly found: number };
  readonly relationships: { readonly expected: number; readonly found: number };
  /** One line for each element that is missing, or that should not be there. */
  readonly differences: readonly string[];
}

/** Reads all documents and the whole graph; run it when nothing is pending. */
export async function compareGraph(db: Db, driver: Driver, neo4jDatabase: string): Promise<Comparison> {
  const states = [...(await readStates(db, memoryUser)), ...(await readStates(db, memoryEvent))];
  const expected = expectedGraph(states);
  const found = await readGraph(driver, neo4jDatabase, { User: ['user_id'], Date: ['date'] });
  return {
    nodes: { expected: expected.nodes.size, found: found.nodes.size },
    relationships: { expected: expected.relationships.size, found: found.relationships.size },
    differences: [
      ...differences(expected.nodes, found.nodes),
      ...differences(expected.relationships, found.relationships),
    ],
  };
}

async function readStates<State>(db: Db, definition: AggregateDefinition<State>): Promise<readonly ModelEvent[]> {
  const documents = await db.collection(definition.collection).find({}, exactTypes).toArray();
  const position = toPosition({ t: 1, i: 1 });
  return documents.map((document) => {
    const id = definition.id(document);
    return { key: `${definition.type}:${id}`, position, subgraph: projectPayload(definition, id, document) };
  });
}

function differences(expected: ReadonlySet<string>, found: ReadonlySet<string>): readonly string[] {
  const missing = [...expected].filter((element) => !found.has(element)).map((element) => `missing: ${element}`);
  const extra = [...found]
    .filter((element) => !expected.has(element))
    .map((element) => `should not be there: ${element}`);
  return [...missing, ...extra];
}
