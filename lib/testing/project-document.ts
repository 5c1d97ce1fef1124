/** Projects documents without a server, for tests of projections. */
import { BSON, type Document } from 'bson';
import { exactTypes } from '../contract/exact-types.ts';
import { toPosition } from '../contract/position.ts';
import type { Subgraph } from '../contract/subgraph.ts';
import { checkDeclared } from '../projection/check-declared.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { projectPayload } from '../projection/project.ts';
import { expectedGraph, type GraphPicture, type ModelEvent } from './expected-graph.ts';

/**
 * Returns the subgraph of a document, as the graph would have it. The document is first stored as
 * MongoDB does, so numbers are `Int32` and `Double` to the schema.
 *
 * @throws Fault as a write of the document would throw: `payload-invalid`, `label-not-declared` …
 * @example
 * const subgraph = projectDocument(person, { _id: 'ada', name: 'Ada' });
 */
export function projectDocument(definition: AggregateDefinition, document: Document): Subgraph {
  const stored = BSON.deserialize(BSON.serialize(document), exactTypes);
  const subgraph = projectPayload(definition, definition.id(stored), stored);
  checkDeclared(definition, subgraph);
  return subgraph;
}

/**
 * Returns the graph of several documents, by the rules of the contract: a shared element and a bare
 * node exist once. Its nodes and relationships are texts, so that two graphs are easy to compare.
 *
 * @example
 * graphOfDocuments([
 *   { definition: person, document: { _id: 'ada', name: 'Ada' } },
 *   { definition: team, document: { _id: 't1', members: ['ada'] } },
 * ]);
 */
export function graphOfDocuments(
  documents: readonly { readonly definition: AggregateDefinition; readonly document: Document }[],
): GraphPicture {
  return expectedGraph(
    documents.map(({ definition, document }, index): ModelEvent => {
      const subgraph = projectDocument(definition, document);
      return { key: String(index), position: toPosition({ t: 1, i: 1 }), subgraph };
    }),
  );
}
