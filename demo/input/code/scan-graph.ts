/**
 * The graph that a scan alone defines, built directly from the scan. It shares no code with the
 * projections, so that the two check each other. Elements are keyed by their identity, so that
 * comparing two graphs shows which elements were added, removed and changed.
 */
import type { GraphProperties } from '../../../lib/contract/subgraph.ts';
import {
  type GraphPicture,
  name,
  nodeText,
  numberEqual,
  relationshipText,
} from '../../../lib/testing/expected-graph.ts';
import type { Scan, ScannedFile, ScannedSymbol, SymbolName } from './scan-types.ts';

/** The owner and name of the code. */
export interface CodeRepository {
  readonly org_id: string;
  readonly repo: string;
}

/** Texts of elements, by identity. */
export interface ScanGraph {
  readonly nodes: ReadonlyMap<string, string>;
  readonly relationships: ReadonlyMap<string, string>;
}

/** The number of elements that differ between two graphs. */
export interface ElementChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

type Properties = Readonly<Record<string, unknown>>;

interface End {
  readonly label: string;
  readonly key: Readonly<Record<string, string>>;
}

interface Node extends End {
  readonly properties: Properties;
}

interface Relationship {
  readonly type: string;
  readonly from: End;
  readonly to: End;
  readonly properties: Properties;
}

/**
 * The elements that exist in exactly the state of the scan. A node that is called or imported but
 * not scanned has no properties.
 */
export function scanGraph(repository: CodeRepository, { files }: Pick<Scan, 'files'>): ScanGraph {
  const relationships = files.flatMap((file) => relationshipsOf(repository, file));
  const named = [repositoryNode(repository), ...files.flatMap((file) => nodesOf(repository, file))];
  const bare = relationships.flatMap(({ from, to }) => [from, to]).map((end): Node => ({ ...end, properties: {} }));
  return {
    nodes: new Map(
      [...bare, ...named].map((node) => [name(node), nodeText(node, [], graphProperties(node.properties))]),
    ),
    relationships: new Map(
      relationships.map(({ type, from, to, properties }) => [
        relationshipText(type, name(from), name(to), {}),
        relationshipText(type, name(from), name(to), graphProperties(properties)),
      ]),
    ),
  };
}

function nodesOf(repository: CodeRepository, file: ScannedFile): readonly Node[] {
  const { file_path, language, symbol_count, total_lines } = file;
  return [
    { ...fileEnd(repository, file_path), properties: { language, symbol_count, total_lines } },
    ...firstOfEachName(file).map(({ symbol_name, ...properties }) => ({
      ...symbolEnd(repository, { file_path, symbol_name }),
      properties,
    })),
  ];
}

function relationshipsOf(repository: CodeRepository, file: ScannedFile): readonly Relationship[] {
  const self = fileEnd(repository, file.file_path);
  const own = (symbol_name: string) => symbolEnd(repository, { file_path: file.file_path, symbol_name });
  const above = directories(file.file_path).map((dir_path) => directoryEnd(repository, dir_path));
  const chain: readonly End[] = [repositoryNode(repository), ...above];
  const inner = chain.slice(-1);
  return [
    ...above.map((to, depth) => ({ type: 'CONTAINS_DIR', from: chain[depth] ?? to, to, properties: {} })),
    ...inner.map((from) => ({ type: 'CONTAINS_FILE', from, to: self, properties: {} })),
    ...firstOfEachName(file).map(({ symbol_name }) => ({
      type: 'DEFINES',
      from: self,
      to: own(symbol_name),
      properties: {},
    })),
    ...file.calls.map(({ from, to, ...properties }) => ({
      type: 'CALLS',
      from: own(from),
      to: symbolEnd(repository, to),
      properties,
    })),
    ...file.imports.map(({ file_path, ...properties }) => ({
      type: 'IMPORTS',
      from: self,
      to: fileEnd(repository, file_path),
      properties,
    })),
    ...(['inherits', 'implements'] as const).flatMap((list) =>
      file[list].map(({ from, to }) => ({
        type: list.toUpperCase(),
        from: own(from),
        to: symbolEnd(repository, to),
        properties: {},
      })),
    ),
  ];
}

function repositoryNode({ org_id, repo }: CodeRepository): Node {
  return { label: 'Repository', key: { org_id, repo_name: repo }, properties: {} };
}

function directoryEnd(repository: CodeRepository, dir_path: string): End {
  return { label: 'Directory', key: { ...repository, dir_path } };
}

function fileEnd(repository: CodeRepository, file_path: string): End {
  return { label: 'File', key: { ...repository, file_path } };
}

function symbolEnd(repository: CodeRepository, symbol: SymbolName): End {
  return { label: 'Symbol', key: { ...repository, ...symbol } };
}

/** The graph as a picture, like that of Neo4j's content. */
export function pictureOf({ nodes, relationships }: ScanGraph): GraphPicture {
  return { nodes: numberEqual([...nodes.values()]), relationships: numberEqual([...relationships.values()]) };
}

/** The changes from one graph to the other. */
export function compareScanGraphs(before: ScanGraph, after: ScanGraph): ElementChanges {
  const parts = (['nodes', 'relationships'] as const).map((part) => [before[part], after[part]] as const);
  const count = (of: (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) => number) =>
    parts.reduce((sum, [left, right]) => sum + of(left, right), 0);
  return {
    added: count((left, right) => [...right.keys()].filter((key) => !left.has(key)).length),
    changed: count((left, right) => [...right].filter(([key, text]) => left.has(key) && left.get(key) !== text).length),
    removed: count((left, right) => [...left.keys()].filter((key) => !right.has(key)).length),
  };
}

/** "src/", "src/cmap/" of "src/cmap/connect.ts". */
function directories(file_path: string): readonly string[] {
  const names = file_path.split('/').slice(0, -1);
  return names.map((_, depth) => `${names.slice(0, depth + 1).join('/')}/`);
}

/** The first declaration of each name in the file. */
function firstOfEachName({ symbols }: ScannedFile): readonly ScannedSymbol[] {
  const first = new Map<string, ScannedSymbol>();
  for (const symbol of symbols) if (!first.has(symbol.symbol_name)) first.set(symbol.symbol_name, symbol);
  return [...first.values()];
}

/** Integers as Neo4j returns them. Null means no property. */
function graphProperties(properties: Properties): GraphProperties {
  const entries = Object.entries(properties).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([property, value]) => [
      property,
      typeof value === 'number' ? BigInt(value) : (value as string | boolean),
    ]),
  );
}
