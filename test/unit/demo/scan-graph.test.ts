/**
 * The projections of a scan and the graph computed directly from the scan describe the same graph.
 */
import { deserialize, serialize } from 'bson';
import { expect, it } from 'vitest';
import { scanSources } from '../../../demo/input/code/scan.ts';
import { compareScanGraphs, pictureOf, scanGraph } from '../../../demo/input/code/scan-graph.ts';
import type { Scan } from '../../../demo/input/code/scan-types.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateDefinition } from '../../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
import { expectedGraph, type GraphPicture } from '../../../lib/testing/expected-graph.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';

const repository = { org_id: 'acme', repo: 'tools' };

const sources = {
  'src/index.ts': "export { Store } from './store/store';",
  'src/store/base.ts': 'export class Base { close() {} }\nexport interface Shape { size: number }',
  'src/store/store.ts': `import { Base, type Shape } from './base';
/** Keeps things. */
export class Store extends Base implements Shape {
  get size() { return 1; }
  set size(value: number) {}
  put(a: string): void;
  put(a: number): void;
  put(a: unknown) { this.close(); this.close(); }
}
export const make = () => [1].map(create);
function create() { return new Store(); }`,
};

function scan(changed: Readonly<Record<string, string>> = {}) {
  return scanSources(new Map(Object.entries({ ...sources, ...changed }).filter(([, text]) => text !== '')));
}

/** The model's graph of the documents, as read back from MongoDB. */
function graphOfDocuments({ files }: Pick<Scan, 'files'>): GraphPicture {
  const project = <State>(definition: AggregateDefinition<State>, key: string, document: object) => ({
    key,
    position: toPosition({ t: 1, i: 1 }),
    subgraph: projectPayload(definition, key, deserialize(serialize(document), { promoteValues: false })),
  });
  return expectedGraph([
    project(codeRepository, 'repository', { org_id: repository.org_id, repo_name: repository.repo }),
    ...files.map((file) => project(codeFile, file.file_path, { ...repository, ...file })),
  ]);
}

it('the projections of a scan give the graph that the scan defines', () => {
  const graph = pictureOf(scanGraph(repository, scan()));
  const projected = graphOfDocuments(scan());
  expect([...projected.nodes].sort()).toStrictEqual([...graph.nodes].sort());
  expect([...projected.relationships].sort()).toStrictEqual([...graph.relationships].sort());
  // A repository, two directories, three files and eight names.
  expect(graph.nodes.size).toBe(1 + 2 + 3 + 8);
});

it('comparing two scans counts what was added, changed and removed', () => {
  const before = scanGraph(repository, scan());
  expect(compareScanGraphs(before, scanGraph(repository, scan()))).toStrictEqual({ added: 0, changed: 0, removed: 0 });
  // A minimal edit: the file has the same number of lines and symbols.
  const edited = scan({ 'src/store/base.ts': sources['src/store/base.ts'].replace('{}', '{ }') });
  expect(compareScanGraphs(before, scanGraph(repository, edited))).toStrictEqual({ added: 0, changed: 2, removed: 0 });
  // The file, its CONTAINS_FILE and its IMPORTS.
  const without = scan({ 'src/index.ts': '' });
  const changes = compareScanGraphs(before, scanGraph(repository, without));
  expect(changes).toStrictEqual({ added: 0, changed: 1, removed: 3 });
});

it('an unscanned symbol that is called, inherited or imported is bare', () => {
  const { files } = scan();
  const without = { files: files.filter(({ file_path }) => file_path !== 'src/store/base.ts') };
  const graph = pictureOf(scanGraph(repository, without));
  const projected = graphOfDocuments(without);
  expect([...projected.nodes].sort()).toStrictEqual([...graph.nodes].sort());
  expect([...projected.relationships].sort()).toStrictEqual([...graph.relationships].sort());
  expect(graph.nodes).toContain(
    '(Symbol {file_path: "src/store/base.ts", org_id: "acme", repo: "tools", symbol_name: "Base.close"}) #1',
  );
});
