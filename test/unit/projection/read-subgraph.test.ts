import { ObjectId } from 'bson';
import { describe, expect, it } from 'vitest';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const node = { label: 'File', key: { path: 'a.ts' } };
const relationship = { type: 'CALLS', from: node, to: { label: 'Symbol', key: { name: 'f' } } };
const subgraph = (nodes: readonly unknown[], relationships: readonly unknown[] = []) => ({ nodes, relationships });

describe('a subgraph', () => {
  it('is read with sorted keys and labels, and absent lists as empty ones', () => {
    const read = readSubgraph({ nodes: [{ label: 'F', key: { b: 'x', a: true }, labels: ['Z', 'A', 'F', 'Z'] }] });
    expect(read).toStrictEqual({
      nodes: [
        {
          label: 'F',
          key: { a: true, b: 'x' },
          identity: '["F",[["a",true],["b","sx"]]]',
          shared: false,
          labels: ['A', 'Z'],
          properties: {},
        },
      ],
      relationships: [],
    });
    expect(Object.keys(read.nodes[0]?.key ?? {})).toStrictEqual(['a', 'b']);
  });

  it('can be empty', () => {
    expect(readSubgraph({})).toStrictEqual({ nodes: [], relationships: [] });
  });

  it('treats a null property as absent', () => {
    expect(
      readSubgraph(subgraph([{ ...node, properties: { gone: null, kept: 'x' } }])).nodes[0]?.properties,
    ).toStrictEqual({ kept: 'x' });
  });

  it('can have parallel relationships that differ by key, and self-loops', () => {
    const loop = { type: 'NEXT', from: node, to: node };
    expect(readSubgraph(subgraph([], [relationship, { ...relationship, key: 'k' }, loop])).relationships).toHaveLength(
      3,
    );
  });

  it('accepts 10,000 elements and refuses one more', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ label: 'File', key: { path: `${index}` } }));
    expect(readSubgraph(subgraph(many)).nodes).toHaveLength(10_000);
    expect(() => readSubgraph(subgraph(many, [relationship]))).toThrow(
      expect.objectContaining({ code: 'subgraph-too-large' }),
    );
  });

  it.each([
    [
      'a nested object as a property',
      subgraph([{ ...node, properties: { address: { street: 'x' } } }]),
      'value-unsupported',
      'nodes[0].properties.address',
    ],
    ['a label with a space', subgraph([{ ...node, label: 'My File' }]), 'name-invalid', 'nodes[0].label'],
    ['a label of 129 characters', subgraph([{ ...node, label: 'x'.repeat(129) }]), 'name-invalid', 'nodes[0].label'],
    ['a bookkeeping label', subgraph([{ ...node, label: 'OutgraphAggregate' }]), 'name-invalid', 'nodes[0].label'],
    [
      'a bookkeeping label as an additional one',
      subgraph([{ ...node, labels: ['OutgraphAggregate'] }]),
      'name-invalid',
      'nodes[0].labels[0]',
    ],
    [
      'a bookkeeping property',
      subgraph([{ ...node, properties: { _outgraphOwner: 'x' } }]),
      'name-invalid',
      'nodes[0].properties._outgraphOwner',
    ],
    [
      'an injected type',
      subgraph([], [{ ...relationship, type: 'A`]->() DELETE' }]),
      'name-invalid',
      'relationships[0].type',
    ],
    ['a node without a key', subgraph([{ label: 'File', key: {} }]), 'key-invalid', 'nodes[0].key'],
    ['a fraction as a key', subgraph([{ label: 'File', key: { path: 0.5 } }]), 'key-invalid', 'nodes[0].key.path'],
    [
      'an endpoint without a key',
      subgraph([], [{ ...relationship, to: { label: 'Symbol' } }]),
      'subgraph-invalid',
      'relationships[0].to.key',
    ],
    [
      'a key property under properties',
      subgraph([{ ...node, properties: { path: 'b' } }]),
      'subgraph-invalid',
      'nodes[0].properties.path',
    ],
    [
      'a shared node with properties',
      subgraph([{ ...node, shared: true, properties: { a: 1 } }]),
      'subgraph-invalid',
      'nodes[0]',
    ],
    ['a shared node with labels', subgraph([{ ...node, shared: true, labels: ['A'] }]), 'subgraph-invalid', 'nodes[0]'],
    [
      'a shared relationship with properties',
      subgraph([], [{ ...relationship, shared: true, properties: { a: 1 } }]),
      'subgraph-invalid',
      'relationships[0]',
    ],
    ['the same node twice', subgraph([node, { ...node, properties: { a: 1 } }]), 'element-duplicate', 'nodes[1]'],
    [
      'the same relationship twice',
      subgraph([], [relationship, relationship]),
      'element-duplicate',
      'relationships[1]',
    ],
    ['two keys for one label', subgraph([node, { label: 'File', key: { id: 1 } }]), 'key-mismatch', 'nodes[1].key'],
    ['an unknown field', subgraph([{ ...node, props: {} }]), 'subgraph-invalid', 'nodes[0].props'],
    ['nodes that are not an array', { nodes: {} }, 'subgraph-invalid', 'nodes'],
    [
      'a number for a relationship key',
      subgraph([], [{ ...relationship, key: 1 }]),
      'subgraph-invalid',
      'relationships[0].key',
    ],
    ['a text', 'text', 'subgraph-invalid', 'subgraph'],
    ['null', null, 'subgraph-invalid', 'subgraph'],
    ['an array', [], 'subgraph-invalid', 'subgraph'],
    ['a date', new Date(0), 'subgraph-invalid', 'subgraph'],
    ['an ObjectId', new ObjectId(), 'subgraph-invalid', 'subgraph'],
    ['an object with a false BSON type', { _bsontype: 'ObjectId' }, 'subgraph-invalid', 'subgraph._bsontype'],
    ['relationships that are not an array', { relationships: {} }, 'subgraph-invalid', 'relationships'],
    ['a number for a label', subgraph([{ ...node, label: 5 }]), 'name-invalid', 'nodes[0].label'],
    [
      'a number for an additional label',
      subgraph([{ ...node, labels: ['A', 5] }]),
      'name-invalid',
      'nodes[0].labels[1]',
    ],
    ['text for shared', subgraph([{ ...node, shared: 'yes' }]), 'subgraph-invalid', 'nodes[0].shared'],
    [
      'text for shared of a relationship',
      subgraph([], [{ ...relationship, shared: 1 }]),
      'subgraph-invalid',
      'relationships[0].shared',
    ],
    [
      'properties that are not an object',
      subgraph([{ ...node, properties: 'a' }]),
      'subgraph-invalid',
      'nodes[0].properties',
    ],
    [
      'an unsupported property of a relationship',
      subgraph([], [{ ...relationship, properties: { a: {} } }]),
      'value-unsupported',
      'relationships[0].properties.a',
    ],
    [
      'a bookkeeping property as a key',
      subgraph([{ label: 'File', key: { _outgraphId: 'x' } }]),
      'name-invalid',
      'nodes[0].key._outgraphId',
    ],
    [
      'an endpoint that is not an object',
      subgraph([], [{ ...relationship, from: 'a' }]),
      'subgraph-invalid',
      'relationships[0].from',
    ],
    [
      'two keys for the label of a start',
      subgraph([node], [{ ...relationship, from: { label: 'File', key: { id: 1 } } }]),
      'key-mismatch',
      'relationships[0].from.key',
    ],
    [
      'two keys for the label of an end',
      subgraph([node], [{ ...relationship, to: { label: 'File', key: { id: 1, path: 'a' } } }]),
      'key-mismatch',
      'relationships[0].to.key',
    ],
  ])('refuses %s and names its path', (_, raw, code, path) => {
    expect(() => readSubgraph(raw)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(new RegExp(`^${path.replace(/[[\]]/g, '\\$&')}: `)),
      }),
    );
  });

  it.each([
    [subgraph([{ ...node, props: {} }]), 'allowed are label, key, labels, properties, shared.'],
    [subgraph([], [{ ...relationship, props: {} }]), 'allowed are type, from, to, key, properties, shared.'],
    [subgraph([{ ...node, properties: { _outgraphOwner: 'x' } }]), 'names that begin with _outgraph are kept'],
    [subgraph([{ ...node, shared: 'yes' }]), 'must be true or false.'],
    [subgraph([{ ...node, label: 5 }]), 'a name must be a string.'],
    [
      subgraph([node, { label: 'File', key: { id: 1, path: 'a' } }]),
      'File is keyed by path elsewhere in this subgraph, not by id, path.',
    ],
    [
      subgraph(Array(10_001).fill(node)),
      '10001 elements, at most 10000 are allowed; move lists that grow without bound to aggregates',
    ],
  ])('is refused with advice: %#', (raw, text) => {
    expect(() => readSubgraph(raw)).toThrow(text);
  });

  it('treats null as absent', () => {
    const raw = subgraph(
      [{ ...node, labels: null, properties: null }],
      [{ ...relationship, properties: null, key: null }],
    );
    expect(readSubgraph(raw)).toStrictEqual(readSubgraph(subgraph([node], [relationship])));
    expect(readSubgraph({ nodes: null, relationships: undefined })).toStrictEqual({ nodes: [], relationships: [] });
  });

  it('never repeats a value in its error', () => {
    expect(() => readSubgraph(subgraph([{ ...node, properties: { address: { street: 'secret' } } }]))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});
