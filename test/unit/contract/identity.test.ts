import { Double } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nodeContent,
  nodeIdentity,
  readNodeIdentity,
  relationshipContent,
  relationshipId,
} from '../../../lib/contract/identity.ts';
import type { SubgraphNode } from '../../../lib/contract/subgraph.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

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
  ])('distinguishes %s', (_, left, right) => {
    expect(nodeIdentity(node(left))).not.toBe(nodeIdentity(node(right)));
  });

  it('contains label and key', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    fc.assert(
      fc.property(value, value, (left, right) => {
        const named = node({ a: left, b: right });
        expect(readNodeIdentity(named.identity)).toStrictEqual({
          label: 'A',
          key: { a: left, b: right },
          identity: named.identity,
        });
      }),
    );
  });
});

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });

describe('the content of a node', () => {
  it.each([
    ['1 and 1.0', { v: 1 }, { v: new Double(1) }],
    ['0 and -0 as FLOAT', { v: new Double(0) }, { v: new Double(-0) }],
    ['a date and its milliseconds', { v: new Date(5) }, { v: 5 }],
    ['a value and a list of it', { v: 'a' }, { v: ['a'] }],
    ['an absent and an empty value', {}, { v: '' }],
    ['names that swap values', { a: 'x', b: 'y' }, { a: 'y', b: 'x' }],
    ['two integers', { v: 1 }, { v: 2 }],
    ['two fractions', { v: 0.5 }, { v: 1.5 }],
    ['two dates', { v: new Date(5) }, { v: new Date(6) }],
    ['two points', { v: point(1, 2) }, { v: point(1, 3) }],
    ['a point and one with an altitude', { v: point(1, 2) }, { v: point(1, 2, 0) }],
    ['0 and another FLOAT', { v: new Double(-0) }, { v: new Double(2) }],
    ['a date and the text of its hash', { v: new Date(5) }, { v: 'd5' }],
  ])('distinguishes %s', (_, left, right) => {
    expect(nodeContent(node({ id: 1 }, left))).not.toBe(nodeContent(node({ id: 1 }, right)));
  });
});

describe('an element without content', () => {
  it('has no hash; any other has a short one', () => {
    const labelled = readSubgraph({ nodes: [{ label: 'A', key: { id: 1 }, labels: ['B'] }] }).nodes[0];
    expect([
      nodeContent(node({ id: 1 })),
      relationshipContent(relationship({})),
      nodeContent(node({ id: 1 }, { a: 1 })),
      nodeContent(labelled as SubgraphNode),
      relationshipContent(relationship({ properties: { a: 1 } })),
    ]).toStrictEqual(['-', '-', ...Array(3).fill(expect.stringMatching(/^[\w-]{11}$/))]);
  });

  it('differs for different labels', () => {
    const contents = [[], ['B'], ['C']].map((labels) => nodeContent({ ...node({ id: 1 }, { a: 1 }), labels }));
    expect(new Set(contents).size).toBe(3);
  });
});

describe('the id of a relationship', () => {
  it('is short, because it is indexed', () => {
    expect(relationshipId(relationship({}), 'graph:a')).toMatch(/^[\w-]{16}$/);
  });

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
