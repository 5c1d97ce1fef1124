/** Keys of the registry: those of a source, and those without one, which never change. */
import { expect, it } from 'vitest';
import { relationshipId } from '../../../lib/contract/identity.ts';
import {
  RegistryKeys,
  sourceOf,
  sourcePattern,
  wholeRegistry,
  withoutSource,
} from '../../../lib/contract/registry-keys.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const shop = new RegistryKeys('shop');
const order = { aggregateType: 'order', aggregateId: 'a/b:c' };
const isIn = (key: string, { after, end }: { readonly after: string; readonly end: string }) =>
  key > after && key < end;

it('without a source, a key is the type and the id, and the binding has the empty key', () => {
  expect(withoutSource.of(order)).toBe('order:a/b:c');
  expect(withoutSource.binding).toBe('');
});

it.each([withoutSource, shop, new RegistryKeys('A.b-c_9')])('a key is split into what it was made of', (keys) => {
  expect(keys.split(keys.of(order))).toStrictEqual(order);
  expect(sourceOf(keys.of(order))).toBe(keys.source);
});

it('the same type and id in two sources are two aggregates, and neither knows the other', () => {
  const blog = new RegistryKeys('blog');
  expect(shop.of(order)).toBe('shop/order:a/b:c');
  expect(blog.has(shop.of(order))).toBe(false);
  expect(withoutSource.has(shop.of(order))).toBe(false);
  expect(shop.has(withoutSource.of(order))).toBe(false);
  expect(shop.has(shop.of(order))).toBe(true);
});

it('a range has the keys of its source alone, without the binding', () => {
  const names = ['shop', 'sho', 'shop.a', 'shop-a', 'shop_a', 'shop0', 'shopa', 'SHOP'];
  for (const name of names) {
    const keys = new RegistryKeys(name);
    expect(isIn(keys.of(order), shop.range), name).toBe(name === 'shop');
    expect(isIn(keys.of(order), wholeRegistry), name).toBe(true);
    expect(isIn(keys.binding, keys.range), name).toBe(false);
  }
});

it('the range of a type has its aggregates alone, after an id', () => {
  const { aggregateType } = order;
  expect(isIn(shop.of(order), shop.rangeOf(aggregateType))).toBe(true);
  expect(isIn(shop.of(order), shop.rangeOf(aggregateType, 'a/b:c'))).toBe(false);
  expect(isIn(shop.of({ ...order, aggregateType: 'order-line' }), shop.rangeOf(aggregateType))).toBe(false);
});

it('the id of an owned relationship begins with its source, and a shared one has none', () => {
  const ends = { from: { label: 'A', key: { id: 1 } }, to: { label: 'A', key: { id: 2 } } };
  const { relationships } = readSubgraph({
    nodes: [],
    relationships: [
      { type: 'OWNED', ...ends },
      { type: 'SHARED', ...ends, shared: true },
    ],
  });
  const idsFor = (keys: RegistryKeys) => relationships.map((one) => relationshipId(one, keys.of(order)));
  const [owned = '', shared = ''] = idsFor(shop);
  expect(owned).toMatch(/^shop\/[\w-]{16}$/);
  expect(shop.has(owned)).toBe(true);
  expect(idsFor(withoutSource)[0]).toMatch(/^[\w-]{16}$/);
  expect(shared).toBe(idsFor(withoutSource)[1]);
  expect(sourceOf(shared)).toBe('');
});

it.each(['', 'a/b', 'a:b', 'ä', 'a b', 'a'.repeat(65), '{'])('"%s" is no source', (source) => {
  expect(sourcePattern.test(source)).toBe(false);
});
