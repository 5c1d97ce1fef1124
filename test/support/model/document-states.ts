/**
 * The states of documents, as input of the model: the graph must contain exactly what their
 * projections list.
 */
import type { Db, Document, Filter } from 'mongodb';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
import type { ModelEvent } from '../../../lib/testing/expected-graph.ts';

/** Documents are the newest states of their aggregates, so their positions do not matter. */
const validPosition = toPosition({ t: 1, i: 1 });

/** Reads the matching documents of an aggregate type, and projects each. */
export async function readDocumentStates<State>(
  db: Db,
  definition: AggregateDefinition<State>,
  filter: Readonly<Record<string, unknown>> = {},
): Promise<readonly ModelEvent[]> {
  const documents = await db
    .collection(definition.collection)
    .find(filter as Filter<Document>, exactTypes)
    .toArray();
  return documents.map((document) => {
    const id = definition.id(document);
    return {
      key: `${definition.type}:${id}`,
      position: validPosition,
      subgraph: projectPayload(definition, id, document),
    };
  });
}

/** A filter for ids that consist of a prefix, a hyphen and digits. It uses an index. */
export function idsOf(prefix: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${prefix}-`, $lt: `${prefix}.` };
}
