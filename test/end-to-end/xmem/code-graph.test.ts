/** XMem's code graph cases on the deployed functions. */
import { afterAll, expect, it } from 'vitest';
import { closeClients, graph, query } from '../../support/wait-for.ts';
import { countBareSymbols } from '../../support/xmem/bare-symbols.ts';
import type { ScannedFile } from '../../support/xmem/code-scan.ts';
import { firstScan, secondScan } from '../../support/xmem/sample-repository.ts';
import type { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { expectInStep, newScope } from './in-step.ts';

afterAll(closeClients);

const pool = 'src/pool.ts';
const poolTake = { file_path: pool, symbol_name: 'take' };

/** A file with one symbol that others call. */
const callee = (fields: object = {}): ScannedFile => ({
  file_path: pool,
  language: 'typescript',
  summary: 'A pool.',
  symbols: [{ symbol_name: 'take', content_hash: 'v1', start_line: 1, end_line: 5, ...fields }],
});

/** A file whose `main` calls symbols of others. */
const caller = (...calls: readonly { file_path: string; symbol_name: string }[]): ScannedFile => ({
  file_path: 'src/main.ts',
  symbols: [{ symbol_name: 'main' }],
  calls: calls.map((to) => ({ from: 'main', to, call_count: 1, is_direct: true })),
});

/** The calls of a symbol in the scope, with Neo4j's own ids. */
async function callsOf({ name }: XmemScope, symbol_name: string) {
  return query(
    `MATCH (caller:Symbol {org_id: $name})-[r:CALLS]->(s:Symbol {symbol_name: $symbol_name})
     RETURN caller.symbol_name AS caller, elementId(r) AS id, elementId(s) AS symbol,
       s.file_path AS file, s.content_hash AS hash`,
    { name, symbol_name },
  );
}

/** One property of every node with a label. */
async function namesOf({ name }: XmemScope, label: string, property: string): Promise<readonly unknown[]> {
  const rows = await query(`MATCH (n:${label} {org_id: $name}) RETURN n[$property] AS name ORDER BY name`, {
    name,
    property,
  });
  return rows.map((row) => row.name);
}

const bareSymbols = ({ name }: XmemScope) => countBareSymbols(graph, 'neo4j', name);

it('N9: a symbol whose body is edited remains one Symbol and keeps its incoming CALLS', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  await code.scan([callee(), caller(poolTake)]);
  await expectInStep(scope);
  const [before] = await callsOf(scope, 'take');
  expect(before).toMatchObject({ caller: 'main', hash: 'v1' });
  await code.scan([callee({ content_hash: 'v2', end_line: 9 }), caller(poolTake)]);
  await expectInStep(scope);
  expect(await callsOf(scope, 'take')).toStrictEqual([{ ...before, hash: 'v2' }]);
  expect(await namesOf(scope, 'Symbol', 'symbol_name')).toStrictEqual(['main', 'take']);
});

it('N10: a removed or renamed symbol loses its edges, and stays bare until its callers are rescanned', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  const both = { ...callee(), symbols: [{ symbol_name: 'take' }, { symbol_name: 'give' }] };
  await code.scan([both, caller(poolTake)]);
  await expectInStep(scope);
  // `take` is called, `give` is not.
  await code.scan([{ ...callee(), symbols: [{ symbol_name: 'takeOne' }] }, caller(poolTake)]);
  await expectInStep(scope);
  expect(await namesOf(scope, 'Symbol', 'symbol_name')).toStrictEqual(['main', 'take', 'takeOne']);
  const [bare] = await query(
    'MATCH (s:Symbol {org_id: $name, symbol_name: "take"}) RETURN properties(s) AS properties',
    scope,
  );
  expect(bare?.properties).toStrictEqual({ org_id: scope.name, repo: 'r', ...poolTake, _outgraph: true });
  expect(
    await query('MATCH (:File)-[r:DEFINES]->(s:Symbol {org_id: $name, symbol_name: "take"}) RETURN r', scope),
  ).toStrictEqual([]);
  expect(await bareSymbols(scope)).toBe(1);

  await code.scan([
    { ...callee(), symbols: [{ symbol_name: 'takeOne' }] },
    caller({ ...poolTake, symbol_name: 'takeOne' }),
  ]);
  await expectInStep(scope);
  expect(await namesOf(scope, 'Symbol', 'symbol_name')).toStrictEqual(['main', 'takeOne']);
  expect(await bareSymbols(scope)).toBe(0);
});

it('N10: a removed file goes with its symbols and edges, and its directory goes with its last file', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  await code.addRepository();
  const deep: ScannedFile = { ...caller(poolTake), file_path: 'lib/deep/main.ts', imports: [{ file_path: pool }] };
  await code.scan([callee(), { ...callee(), file_path: 'lib/other.ts' }, deep]);
  await expectInStep(scope);
  expect(await namesOf(scope, 'Directory', 'dir_path')).toStrictEqual(['lib/', 'lib/deep/', 'src/']);
  await code.scan([callee(), { ...callee(), file_path: 'lib/other.ts' }]);
  await expectInStep(scope);
  expect(await namesOf(scope, 'Directory', 'dir_path')).toStrictEqual(['lib/', 'src/']);
  expect(await namesOf(scope, 'File', 'file_path')).toStrictEqual(['lib/other.ts', pool]);
  expect(await callsOf(scope, 'take')).toStrictEqual([]);
  await code.scan([]);
  const remaining = await expectInStep(scope);
  expect([...remaining.nodes]).toStrictEqual([expect.stringContaining('(Repository')]);
});

it('N10: a renamed file is a single file at its new path, with its whole content', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  await code.scan([callee(), caller(poolTake)]);
  await expectInStep(scope);
  await code.rename(pool, 'lib/net/pool.ts');
  await expectInStep(scope);
  expect(await namesOf(scope, 'File', 'file_path')).toStrictEqual(['lib/net/pool.ts', 'src/main.ts']);
  // The caller has not been scanned again.
  expect(await callsOf(scope, 'take')).toMatchObject([{ file: pool, hash: null }]);
  expect(await bareSymbols(scope)).toBe(1);
  await code.scan([
    { ...callee(), file_path: 'lib/net/pool.ts' },
    caller({ ...poolTake, file_path: 'lib/net/pool.ts' }),
  ]);
  await expectInStep(scope);
  expect(await callsOf(scope, 'take')).toMatchObject([{ file: 'lib/net/pool.ts', hash: 'v1' }]);
  expect(await bareSymbols(scope)).toBe(0);
  expect(await namesOf(scope, 'Directory', 'dir_path')).toStrictEqual(['lib/', 'lib/net/', 'src/']);
});

it('N11: a rescan removes calls, imports, base classes and interfaces that no longer exist', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  const [main = caller()] = firstScan.filter(({ file_path }) => file_path === 'main.ts');
  await code.scan(firstScan);
  await expectInStep(scope);
  const outgoing = () =>
    query(
      `MATCH (a {org_id: $name, file_path: 'main.ts'})-[r:CALLS|IMPORTS|INHERITS|IMPLEMENTS]->()
       RETURN type(r) AS type ORDER BY type`,
      scope,
    );
  expect((await outgoing()).map(({ type }) => type)).toStrictEqual([
    'CALLS',
    'CALLS',
    'IMPLEMENTS',
    'IMPORTS',
    'IMPORTS',
    'INHERITS',
  ]);
  const { calls, imports, inherits: _, implements: __, ...rest } = main;
  const others = firstScan.filter((file) => file !== main);
  await code.scan([...others, { ...rest, calls: calls.slice(1), imports: imports.slice(0, 1) }]);
  await expectInStep(scope);
  expect((await outgoing()).map(({ type }) => type)).toStrictEqual(['CALLS', 'IMPORTS']);
});

it('N13: symbols, neighbours, callers and annotations never blank a File or a Directory', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  await code.scan([callee()]);
  await expectInStep(scope);
  const structure = () =>
    query(
      `MATCH (n {org_id: $name})
       WHERE n:File AND n.file_path = '${pool}' OR n:Directory OR n:Symbol AND n.symbol_name = 'take'
       RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties ORDER BY id`,
      scope,
    );
  const withoutShares = (rows: Awaited<ReturnType<typeof structure>>) =>
    rows.map(({ properties: { _outgraphShares, ...properties }, ...row }) => ({ ...row, properties }));
  const before = withoutShares(await structure());
  expect(before).toHaveLength(3);

  const other: ScannedFile = { ...caller(poolTake), imports: [{ file_path: pool }] };
  const annotations = [
    await code.annotate({ kind: 'file', file_path: pool }, { content: 'c', created_at: new Date() }),
    await code.annotate({ kind: 'directory', dir_path: 'src/' }, { content: 'c' }),
    await code.annotate({ kind: 'symbol', ...poolTake, relevance: 0.5 }, { content: 'c' }),
  ];
  await code.scan([callee(), other]);
  await expectInStep(scope);
  expect(withoutShares(await structure())).toStrictEqual(before);
  for (const annotation of annotations) await code.removeAnnotation(annotation);
  await code.scan([callee()]);
  await expectInStep(scope);
  expect(withoutShares(await structure())).toStrictEqual(before);
});

it('N16: other repositories and organisations with the same paths and names are never touched', async () => {
  const other = newScope();
  const scope = newScope();
  for (const repository of [other.repository('r'), scope.repository('r'), scope.repository('s')]) {
    await repository.addRepository();
    await repository.scan(firstScan);
  }
  await scope.repository('s').annotate({ kind: 'file', file_path: 'main.ts' });
  await Promise.all([expectInStep(other), expectInStep(scope)]);
  const before = await other.elements();
  const ofRepository = () =>
    query(
      `MATCH (n {org_id: $name}) WHERE n.repo = 's' OR n.repo_name = 's' OPTIONAL MATCH (n)-[r]-()
       RETURN elementId(n) AS id, properties(n) AS properties, collect([elementId(r), properties(r)]) AS edges
       ORDER BY id`,
      scope,
    );
  const repositoryBefore = await ofRepository();
  await scope.repository('r').scan(secondScan);
  await expectInStep(scope);
  await scope.repository('r').scan([]);
  await expectInStep(scope);
  expect(await other.elements()).toStrictEqual(before);
  expect(await ofRepository()).toStrictEqual(repositoryBefore);
  await expectInStep(other);
});

it('O: an unchanged file needs no event, and deleting a missing file succeeds', async () => {
  const scope = newScope();
  const code = scope.repository('r');
  await code.scan(firstScan);
  await expectInStep(scope);
  await code.scan(firstScan);
  expect(await scope.events()).toHaveLength(firstScan.length);
  await code.scan([]);
  await code.scan([]);
  expect(await scope.events()).toHaveLength(2 * firstScan.length);
  expect((await expectInStep(scope)).nodes.size).toBe(0);
});
