/** Tests of the projection, without a server: `node --test`. */
import { test } from 'node:test';
import { endpoint, relationship } from 'outgraph';
import { expectSubgraph, projectDocument } from 'outgraph/testing';
import { order } from './order.ts';

test('an order becomes a node, with its customer and its books', () => {
  const placed_at = new Date('2026-01-31T12:00:00Z');
  const lines = [{ isbn: '978-0262510875', copies: 2 }];
  const subgraph = projectDocument(order, { _id: 'o1', customer_id: 'ada', placed_at, lines });
  const node = endpoint('Order', { order_id: 'o1' });
  expectSubgraph(subgraph, {
    nodes: [{ ...node, properties: { placed_at } }],
    relationships: [
      relationship('PLACED', endpoint('Customer', { customer_id: 'ada' }), node),
      relationship('CONTAINS', node, endpoint('Book', { isbn: '978-0262510875' }), {
        properties: { copies: 2 },
      }),
    ],
  });
});
