import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { type IndexDeclaration, indexName, indexProblem } from '../../../lib/projection/index-declaration.ts';

const range = { kind: 'range', label: 'Person', properties: ['name'] } as const satisfies IndexDeclaration;
const vector = { kind: 'vector', label: 'Chunk', properties: ['embedding'], dimensions: 3 } as const;

it('an index is named by its kind, place and properties, or as declared', () => {
  expect(indexName(range)).toBe('outgraph_range_Person_name');
  expect(indexName({ kind: 'fulltext', type: 'KNOWS', properties: ['a', 'b'] })).toBe('outgraph_fulltext_KNOWS_a_b');
  expect(indexName({ ...vector, name: 'chunks' })).toBe('chunks');
});

it.each<readonly [string, unknown, string]>([
  ['an unknown kind', { ...range, kind: 'hash' }, 'kind must be one of'],
  ['a label and a type', { ...range, type: 'KNOWS' }, 'either a label or a type'],
  ['neither', { kind: 'range', properties: ['name'] }, 'either a label or a type'],
  ['no property', { ...range, properties: [] }, 'needs properties'],
  ['a text instead of properties', { ...range, properties: 'name' }, 'needs properties'],
  ['two properties of a text index', { ...range, kind: 'text', properties: ['a', 'b'] }, 'one property'],
  ['a name with a quote', { ...range, properties: ['a`b'] }, '"a`b" is not an allowed name'],
  ['an index name with a space', { ...range, name: 'a b' }, '"a b" is not an allowed name'],
  ['a label that is a number', { ...range, label: 7 }, '"7" is not an allowed name'],
  ['no dimensions', { ...vector, dimensions: undefined }, 'dimensions must be'],
  ['too many dimensions', { ...vector, dimensions: 4_097 }, 'dimensions must be'],
  ['another similarity', { ...vector, similarity: 'dot' }, 'similarity must be'],
])('refuses %s when the aggregate type is declared', (_, index, problem) => {
  expect(indexProblem(index as IndexDeclaration)).toContain(problem);
  const declares = { labels: {}, types: [], indexes: [range, index as IndexDeclaration] };
  const define = () =>
    defineAggregate({
      type: 'person',
      collection: 'people',
      id: documentId,
      payload: z.object({}),
      declares,
      project: () => ({ nodes: [], relationships: [] }),
    });
  expect(define).toThrow(problem);
});

it.each<readonly [string, IndexDeclaration]>([
  ['a range of two properties', { ...range, properties: ['a', 'b'] }],
  ['a vector', { ...vector, similarity: 'euclidean' }],
])('allows %s', (_, index) => {
  expect(indexProblem(index)).toBeNull();
});
