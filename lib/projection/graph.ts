/**
 * The built-in aggregate type `graph`: its payload is the subgraph itself. A writer in any language can use it without
 * a projection of its own.
 */
import type { Document } from 'bson';
import { z } from 'zod';
import type { ProjectedSubgraph } from '../contract/subgraph.ts';
import { defineAggregate, documentId } from './define-aggregate.ts';

/** A document whose fields besides `_id` are the subgraph: `{ _id, nodes: [...], relationships: [...] }`. */
export const graph = defineAggregate<ProjectedSubgraph>({
  type: 'graph',
  collection: 'graphs',
  id: documentId,
  payload: z.custom<ProjectedSubgraph>(),
  project: (payload) => {
    // A tracked document carries its own `_id`; everything else is checked, field by field, as a subgraph.
    const { _id, ...subgraph } = payload as ProjectedSubgraph & Document;
    return subgraph as ProjectedSubgraph;
  },
});
