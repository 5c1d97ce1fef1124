import { describe, expect, it } from 'vitest';
import { nodeContent, nodeIdentity, relationshipId } from '../../../lib/contract/identity.ts';
import { readSubgraph } from '../../../lib/contract/read-subgraph.ts';

const node = (key: unknown, properties: unknown = {}) => {
  const [read] = readSubgraph({ nodes: [{ label: 'A', key, properties }] }).nodes;
  if (read === undefined) throw new Error('no node');
  return read;
};
const relationship = (fields: object) => {
  const end = { label: 'A', key: { id: 1 } };
  const [read] = readSubgraph({ relationships: [{ type: 'R', from: end, to: end, ...fields }] }).relationships;
  if (read === undefined) throw new Error('no relationship');
  return read;
};

describe('the identity of a node', () => {
  it('does not depend on the order of its key properties', () => {
    expect(nodeIdentity(node({ a: 1, b: 2 }))).toBe(nodeIdentity(node({ b: 2, a: 1 })));
  });

  it.each([
    ['an integer and its text', { id: 1 }, { id: '1' }],
    ['a boolean and its text', { id: true }, { id: 'true' }],
    ['a text and a longer one', { id: 'a' }, { id: 'ab' }],
    ['values in other places', { a: 'x', b: 'y' }, { a: 'y', b: 'x' }],
  ])('tells apart %s', (_, left, right) => {
    expect(nodeIdentity(node(left))).not.toBe(nodeIdentity(node(right)));
  });
});

describe('the content of a node', () => {
  it.each([
    ['1 and 1.0', { v: 1 }, { v: { _bsontype: 'Double', value: 1 } }],
    ['0 and -0 as FLOAT', { v: { _bsontype: 'Double', value: 0 } }, { v: { _bsontype: 'Double', value: -0 } }],
    ['a date and its milliseconds', { v: new Date(5) }, { v: 5 }],
    ['a value and a list of it', { v: 'a' }, { v: ['a'] }],
    ['an absent and an empty value', {}, { v: '' }],
    ['names that swap values', { a: 'x', b: 'y' }, { a: 'y', b: 'x' }],
  ])('tells apart %s', (_, left, right) => {
    expect(nodeContent(node({ id: 1 }, left))).not.toBe(nodeContent(node({ id: 1 }, right)));
  });
});

describe('the id of a relationship', () => {
  it('differs between two aggregates that own the same one', () => {
    expect(relationshipId(relationship({}), 'graph:a')).not.toBe(relationshipId(relationship({}), 'graph:b'));
  });

  it('is the same for all aggregates that share it', () => {
    expect(relationshipId(relationship({ shared: true }), 'graph:a')).toBe(
      relationshipId(relationship({ shared: true }), 'graph:b'),
    );
  });

  it('differs between no key and an empty one', () => {
    expect(relationshipId(relationship({}), 'graph:a')).not.toBe(relationshipId(relationship({ key: '' }), 'graph:a'));
  });
});
