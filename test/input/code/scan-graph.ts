/**
 * The graph that a scan alone demands, said once more from the scan: it shares no code with the projections, so that the two check each other. Elements by what identifies
 * them, so that two graphs tell what came, what went and what changed.
 */
import type { GraphProperties } from '../../../lib/contract/subgraph.ts';
import { type GraphPicture, name, nodeText, numberEqual, relationshipText } from '../../model/expected-graph.ts';
import type { Scan, ScannedFile, ScannedSymbol } from './scan-types.ts';

/** Whose code it is. */
export interface CodeRepository {
  readonly org_id: string;
  readonly repo: string;
}

/** Texts of elements, each by its identity. */
export interface ScanGraph {
  readonly nodes: ReadonlyMap<string, string>;
  readonly relationships: ReadonlyMap<string, string>;
}

/** How many elements differ between two graphs. */
export interface ElementChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** What stands when the repository is in the state of the scan, and in no other. */
export function scanGraph({ org_id, repo }: CodeRepository, { files }: Pick<Scan, 'files'>): ScanGraph {
  const nodes = new Map<string, string>();
  const relationships = new Map<string, string>();
  const end = (label: string, key: GraphProperties) => ({ label, key: { org_id, ...key } as Record<string, string> });
  const node = (label: string, key: GraphProperties, properties: Record<string, unknown> = {}) => {
    const named = end(label, key);
    nodes.set(name(named), nodeText(named, [], graphProperties(properties)));
    return named;
  };
  const relate = (
    type: string,
    from: ReturnType<typeof end>,
    to: ReturnType<typeof end>,
    properties: Record<string, unknown> = {},
  ) =>
    relationships.set(
      relationshipText(type, name(from), name(to), {}),
      relationshipText(type, name(from), name(to), graphProperties(properties)),
    );
  const symbol = (file_path: string, symbol_name: string) => end('Symbol', { repo, file_path, symbol_name });

  for (const file of files) {
    let above = node('Repository', { repo_name: repo });
    for (const dir_path of directories(file.file_path)) {
      const directory = node('Directory', { repo, dir_path });
      relate('CONTAINS_DIR', above, directory);
      above = directory;
    }
    const { file_path, language, symbol_count, total_lines } = file;
    const self = node('File', { repo, file_path }, { language, symbol_count, total_lines });
    relate('CONTAINS_FILE', above, self);
    for (const { symbol_name, ...properties } of firstOfEachName(file)) {
      relate('DEFINES', self, node('Symbol', { repo, file_path, symbol_name }, properties));
    }
    for (const { from, to, ...properties } of file.calls) {
      relate('CALLS', symbol(file_path, from), symbol(to.file_path, to.symbol_name), properties);
    }
    for (const { file_path: imported, ...properties } of file.imports) {
      relate('IMPORTS', self, end('File', { repo, file_path: imported }), properties);
    }
    for (const { from, to } of file.inherits)
      relate('INHERITS', symbol(file_path, from), symbol(to.file_path, to.symbol_name));
    for (const { from, to } of file.implements)
      relate('IMPLEMENTS', symbol(file_path, from), symbol(to.file_path, to.symbol_name));
  }
  return { nodes, relationships };
}

/** As what Neo4j holds is pictured. */
export function pictureOf({ nodes, relationships }: ScanGraph): GraphPicture {
  return { nodes: numberEqual([...nodes.values()]), relationships: numberEqual([...relationships.values()]) };
}

/** What turns one graph into the other. */
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

/** Of several declarations of one name, the one that stands first in the file. */
function firstOfEachName({ symbols }: ScannedFile): readonly ScannedSymbol[] {
  const first = new Map<string, ScannedSymbol>();
  for (const symbol of symbols) if (!first.has(symbol.symbol_name)) first.set(symbol.symbol_name, symbol);
  return [...first.values()];
}

/** Integers as Neo4j has them; null is no property. */
function graphProperties(properties: Record<string, unknown>): GraphProperties {
  const entries = Object.entries(properties).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([property, value]) => [
      property,
      typeof value === 'number' ? BigInt(value) : (value as string | boolean),
    ]),
  );
}
