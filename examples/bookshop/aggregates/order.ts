/**
 * An order: its node, the customer who placed it, and its books. A book stays in the graph while an
 * order contains it. The customer is a separate aggregate.
 */
import { defineAggregate, documentId, endpoint, relationship } from 'outgraph';
import { z } from 'zod';

/** The document in MongoDB. */
export interface OrderDocument {
  _id: string;
  customer_id: string;
  placed_at: Date;
  lines: { isbn: string; copies: number }[];
}

export const order = defineAggregate({
  type: 'order',
  collection: 'orders',
  id: documentId,
  payload: z.object({
    customer_id: z.string(),
    placed_at: z.date(),
    lines: z.array(z.object({ isbn: z.string(), copies: z.int() })),
  }),
  declares: {
    labels: { Order: ['order_id'], Customer: ['customer_id'], Book: ['isbn'] },
    types: ['PLACED', 'CONTAINS'],
  },
  project: ({ customer_id, placed_at, lines }, order_id) => {
    const node = endpoint('Order', { order_id });
    return {
      nodes: [{ ...node, properties: { placed_at } }],
      relationships: [
        relationship('PLACED', endpoint('Customer', { customer_id }), node),
        ...lines.map(({ isbn, copies }) =>
          relationship('CONTAINS', node, endpoint('Book', { isbn }), { properties: { copies } }),
        ),
      ],
    };
  },
});
