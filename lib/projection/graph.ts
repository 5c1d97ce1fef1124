/**
 * The built-in aggregate type `graph`, whose payload is the subgraph itself. Writers in any
 * language can use it without a projection.
 */
import type { Document } from 'bson';
import type { ProjectedSubgraph } from '../contract/subgraph.ts';
import { defineAggregate, documentId } from './define-aggregate.ts';

/**
 * Documents of the collection `graphs`. All fields except `_id` are the subgraph.
 *
 * @example
 * await trackCollection(client, db, graph).insertOne({ nodes: [], relationships: [] });
 */
export const graph = defineAggregate<ProjectedSubgraph>({
  type: 'graph',
  collection: 'graphs',
  id: documentId,
  // Accepts everything: the projection's result is checked.
  payload: {
    '~standard': { version: 1, vendor: 'outgraph', validate: (value) => ({ value: value as ProjectedSubgraph }) },
  },
  project: (payload) => {
    // A tracked document contains its `_id`; all other fields are checked as a subgraph.
    const { _id, ...subgraph } = payload as ProjectedSubgraph & Document;
    return subgraph as ProjectedSubgraph;
  },
});
