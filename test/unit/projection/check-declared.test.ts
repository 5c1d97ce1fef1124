import { expect, it } from 'vitest';
import { z } from 'zod';
import { checkDeclared } from '../../../lib/projection/check-declared.ts';
import { type AggregateDefinition, defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const order: AggregateDefinition = defineAggregate({
  type: 'order',
  collection: 'orders',
  id: documentId,
  payload: z.unknown(),
  declares: { labels: { Order: ['order_id'], Shop: ['shop_id', 'city'] }, types: ['SOLD'] },
  project: () => ({ nodes: [], relationships: [] }),
});
const node = { label: 'Order', key: { order_id: '1' } };
const shop = { label: 'Shop', key: { city: 'Turin', shop_id: '1' } };
const other = { label: 'Other', key: { id: 1 } };
const check = (subgraph: object, definition = order) => checkDeclared(definition, readSubgraph(subgraph));

it('accepts what is declared, and an additional label, which has no key', () => {
  check({ nodes: [{ ...node, labels: ['Large'] }, shop], relationships: [{ type: 'SOLD', from: shop, to: node }] });
});

it('accepts everything of a type without a declaration', () => {
  const { declares: _, ...undeclared } = order;
  check({ nodes: [other], relationships: [{ type: 'ANY', from: other, to: other }] }, undeclared);
});

it.each([
  [
    'a label',
    { nodes: [node, other] },
    'label-not-declared',
    'nodes[1].label: "order" does not declare Other, but Order',
  ],
  ['a label named like a method', { nodes: [{ ...other, label: 'toString' }] }, 'label-not-declared', 'toString'],
  [
    'the label of an end',
    { relationships: [{ type: 'SOLD', from: node, to: other }] },
    'label-not-declared',
    'relationships[0].to.label',
  ],
  [
    'a relationship type',
    { relationships: [{ type: 'BOUGHT', from: node, to: node }] },
    'type-not-declared',
    'relationships[0].type: "order" does not declare BOUGHT, but SOLD',
  ],
  [
    'a key',
    { nodes: [{ label: 'Shop', key: { shop_id: '1' } }] },
    'key-mismatch',
    'nodes[0].key: "order" declares the key shop_id, city for Shop, not shop_id.',
  ],
])('refuses what is not declared: %s', (_, subgraph, code, message) => {
  expect(() => check(subgraph)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
