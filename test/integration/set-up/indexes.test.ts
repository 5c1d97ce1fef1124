/** The indexes that aggregate types declare, made by the set-up and examined by the doctor. */

import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import { findDeclaredIndexProblems } from '../../../cli/doctor/neo4j-inspect-graph.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import type { IndexDeclaration } from '../../../lib/projection/index-declaration.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { it, type SiteGraph } from '../../support/site.ts';

let graph: SiteGraph;
it.beforeAll(({ site }) => {
  ({ graph } = site);
});

const run = async (statement: string, parameters: Readonly<Record<string, unknown>> = {}) =>
  (await graph.driver.executeQuery(statement, parameters)).records.map((record) => record.toObject());

afterEach(async () => {
  await run('MATCH (n:Chunk) DETACH DELETE n');
  const own = "SHOW INDEXES YIELD name, owningConstraint, type WHERE owningConstraint IS NULL AND type <> 'LOOKUP'";
  for (const { name } of await run(`${own} RETURN name`))
    if (name !== 'outgraph_tombstones') await run(`DROP INDEX ${name}`);
});

const catalogOf = (...indexes: readonly IndexDeclaration[]) =>
  createCatalog([
    defineAggregate({
      type: 'chunk',
      collection: 'chunks',
      id: documentId,
      payload: z.object({}),
      declares: { labels: { Chunk: ['id'] }, types: ['NEXT'], indexes },
      project: () => ({ nodes: [], relationships: [] }),
    }),
  ]);

/** What the set-up says of indexes, without the one for the purge. */
async function setUp(...indexes: readonly IndexDeclaration[]) {
  const steps = await setUpGraph(graph.driver, 'neo4j', catalogOf(...indexes), testOutboxId);
  return steps.filter(({ what }) => what.startsWith('index ') && !what.endsWith('outgraph_tombstones'));
}

const problems = (...indexes: readonly IndexDeclaration[]) =>
  findDeclaredIndexProblems(graph.driver, 'neo4j', catalogOf(...indexes));

const embedding = {
  kind: 'vector',
  name: 'chunks',
  label: 'Chunk',
  properties: ['embedding'],
  dimensions: 3,
} as const satisfies IndexDeclaration;

const everyKind: readonly IndexDeclaration[] = [
  embedding,
  { kind: 'vector', type: 'NEXT', properties: ['embedding'], dimensions: 3, similarity: 'euclidean' },
  { kind: 'range', label: 'Chunk', properties: ['book', 'page'] },
  { kind: 'range', type: 'NEXT', properties: ['weight'] },
  { kind: 'text', label: 'Chunk', properties: ['title'] },
  { kind: 'text', type: 'NEXT', properties: ['title'] },
  { kind: 'point', label: 'Chunk', properties: ['place'] },
  { kind: 'point', type: 'NEXT', properties: ['place'] },
  { kind: 'fulltext', name: 'texts', label: 'Chunk', properties: ['title', 'text'] },
  { kind: 'fulltext', type: 'NEXT', properties: ['text'] },
];

it('creates every kind on nodes and relationships, online, and a second run keeps them', async () => {
  const made = await setUp(...everyKind);
  expect(made.map(({ outcome }) => outcome)).toStrictEqual(everyKind.map(() => 'made'));
  expect(made.map(({ what }) => what)).toContain('index outgraph_range_Chunk_book_page');
  expect(await problems(...everyKind)).toStrictEqual([]);
  const states = await run('SHOW INDEXES YIELD state RETURN DISTINCT state');
  expect(states).toStrictEqual([{ state: 'ONLINE' }]);
  const kept = await setUp(...everyKind);
  expect(kept.map(({ outcome }) => outcome)).toStrictEqual(everyKind.map(() => 'kept'));
});

it('an index of vectors finds the nearest node, and a full-text index a word', async () => {
  await setUp(embedding, { kind: 'fulltext', name: 'texts', label: 'Chunk', properties: ['text'] });
  const rows = [
    { id: 'a', embedding: [1, 0, 0], text: 'a lighthouse' },
    { id: 'b', embedding: [0, 1, 0], text: 'a harbour' },
  ];
  await run('UNWIND $rows AS row CREATE (c:Chunk) SET c = row', { rows });
  await run('CALL db.awaitIndexes()');
  const nearest = "CALL db.index.vector.queryNodes('chunks', 1, [0.1, 0.9, 0.0]) YIELD node RETURN node.id AS id";
  expect(await run(nearest)).toStrictEqual([{ id: 'b' }]);
  await run('CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()');
  const word = "CALL db.index.fulltext.queryNodes('texts', 'lighthouse') YIELD node RETURN node.id AS id";
  expect(await run(word)).toStrictEqual([{ id: 'a' }]);
});

it('names what is missing, and creates nothing, when the doctor looks', async () => {
  expect(await problems(embedding)).toStrictEqual(['The index chunks is missing.']);
  expect(await problems(embedding)).toStrictEqual(['The index chunks is missing.']);
});

it.each<readonly [string, IndexDeclaration]>([
  ['other dimensions', { ...embedding, dimensions: 4 }],
  ['another similarity', { ...embedding, similarity: 'euclidean' }],
  ['another property', { ...embedding, properties: ['other'] }],
  ['another name', { ...embedding, name: 'pieces' }],
])('refuses a declared index with %s than the existing one, and says what to drop', async (_, changed) => {
  await setUp(embedding);
  await expect(setUp(changed)).rejects.toMatchObject({
    code: 'set-up-missing',
    message: expect.stringContaining('DROP INDEX chunks'),
  });
  expect(await problems(changed)).toMatchObject([expect.stringContaining('DROP INDEX chunks')]);
  await setUp(embedding);
});

it('accepts an index of the user on the same properties if the declaration names none', async () => {
  await run('CREATE RANGE INDEX mine FOR (c:Chunk) ON (c.title)');
  const title: IndexDeclaration = { kind: 'range', label: 'Chunk', properties: ['title'] };
  expect(await setUp(title)).toMatchObject([{ outcome: 'kept' }]);
  expect(await problems(title)).toStrictEqual([]);
});

it('refuses one name for two declared indexes', async () => {
  const [first, second] = [
    { kind: 'range', name: 'both', label: 'Chunk', properties: ['a'] },
    { kind: 'range', name: 'both', label: 'Chunk', properties: ['b'] },
  ] as const satisfies readonly IndexDeclaration[];
  await expect(setUp(first, second)).rejects.toMatchObject({ message: expect.stringContaining('both') });
});
