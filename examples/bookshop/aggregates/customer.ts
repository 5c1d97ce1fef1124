/** A customer of the bookshop: one node. */
import { defineAggregate, documentId } from 'outgraph';
import { z } from 'zod';

/** The document in MongoDB. */
export interface CustomerDocument {
  _id: string;
  name: string;
}

export const customer = defineAggregate({
  type: 'customer',
  collection: 'customers',
  id: documentId,
  payload: z.object({ name: z.string() }),
  declares: { labels: { Customer: ['customer_id'] }, types: [] },
  project: ({ name }, customer_id) => ({
    nodes: [{ label: 'Customer', key: { customer_id }, properties: { name } }],
    relationships: [],
  }),
});
