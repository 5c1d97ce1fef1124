/**
 * The states that documents are in, as the model takes them: what their projections list is what must stand in the
 * graph.
 */
import type { Db, Document, Filter } from 'mongodb';
import { toPosition } from '../../../lib/contract/position.ts';
import { exactTypes } from '../../../lib/outbox/mongodb-read-event.ts';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
import type { ModelEvent } from './expected-graph.ts';

/** Documents are already the newest states of their aggregates: their positions do not matter. */
const validPosition = toPosition({ t: 1, i: 1 });

/** Reads the documents of an aggregate type that match, and projects each. */
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

/** A filter for the ids that begin with a prefix and a hyphen, and go on with digits; uses an index. */
export function idsOf(prefix: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${prefix}-`, $lt: `${prefix}.` };
}
