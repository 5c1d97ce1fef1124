/** Counts what XMem's way has left in the graph after a scan, compared with the scan. */
import type { Driver } from 'neo4j-driver';
import type { CodeRepository } from '../input/code/scan-graph.ts';
import type { Scan, ScannedFile } from '../input/code/scan-types.ts';

/**
 * Ghosts are nodes that the scan does not contain. Stale edges are not in the scan, or have a ghost
 * at one end. Missing edges are in the scan, but do not connect two current nodes.
 */
export interface XmemLeftovers {
  readonly ghostFiles: number;
  /** Symbols whose name no longer exists in the file, or whose file no longer exists. */
  readonly ghostNames: number;
  /** Symbols with an existing name and an earlier text. */
  readonly ghostVersions: number;
  readonly staleCalls: number;
  readonly staleImports: number;
  readonly missingCalls: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

const scope = '{org_id: $org_id, repo: $repo}';
const symbolText = (symbol: string) => `[${symbol}.file_path, ${symbol}.symbol_name, ${symbol}.content_hash]`;

/** Reads the repository's nodes and edges, and compares them with the scan. */
export async function countXmemLeftovers(
  driver: Driver,
  database: string,
  repository: CodeRepository,
  { files }: Pick<Scan, 'files'>,
): Promise<XmemLeftovers> {
  const read = async <Value>(query: string): Promise<readonly Value[]> => {
    const { records } = await driver.executeQuery(query, { ...repository }, { database });
    return records.map((record) => record.get(0) as Value);
  };
  const foundFiles = await read<string>(`MATCH (f:XmemFile ${scope}) RETURN f.file_path`);
  const foundSymbols = await read<string[]>(`MATCH (s:XmemSymbol ${scope}) RETURN ${symbolText('s')}`);
  const calls = await read<string[][]>(
    `MATCH (a:XmemSymbol ${scope})-[:CALLS]->(b) RETURN [${symbolText('a')}, ${symbolText('b')}]`,
  );
  const imports = await read<string[]>(`MATCH (a:XmemFile ${scope})-[:IMPORTS]->(b) RETURN [a.file_path, b.file_path]`);

  const current = currentElements(files);
  const ghosts = foundSymbols.filter((symbol) => !current.symbols.has(JSON.stringify(symbol)));
  const ghostVersions = ghosts.filter((symbol) => current.names.has(nameOf(symbol))).length;
  const isCurrent = ([from = [], to = []]: readonly string[][]) =>
    current.symbols.has(JSON.stringify(from)) && current.symbols.has(JSON.stringify(to));
  const good = calls.filter((call) => isCurrent(call) && current.calls.has(edgeText(callNames(call))));
  const called = new Set(good.map((call) => edgeText(callNames(call))));
  return {
    ghostFiles: foundFiles.filter((file) => !current.files.has(file)).length,
    ghostNames: ghosts.length - ghostVersions,
    ghostVersions,
    staleCalls: calls.length - good.length,
    staleImports: imports.filter(([from = '', to = '']) => !current.imports.has(edgeText({ from, to }))).length,
    missingCalls: current.calls.size - called.size,
  };
}

function currentElements(files: readonly ScannedFile[]) {
  const symbols = files.flatMap(({ file_path, symbols }) =>
    symbols.map(({ symbol_name, content_hash }) => [file_path, symbol_name, content_hash]),
  );
  const calls = files.flatMap(({ file_path, calls }) =>
    calls.map(({ from, to }) => ({ from: nameOf([file_path, from]), to: nameOf([to.file_path, to.symbol_name]) })),
  );
  const imports = files.flatMap((file) =>
    file.imports.map(({ file_path }) => ({ from: file.file_path, to: file_path })),
  );
  return {
    files: new Set(files.map(({ file_path }) => file_path)),
    symbols: new Set(symbols.map((symbol) => JSON.stringify(symbol))),
    names: new Set(symbols.map(nameOf)),
    calls: new Set(calls.map(edgeText)),
    imports: new Set(imports.map(edgeText)),
  };
}

function callNames([from = [], to = []]: readonly string[][]): Edge {
  return { from: nameOf(from), to: nameOf(to) };
}

/** A symbol without its hash. */
function nameOf(symbol: readonly string[]): string {
  return JSON.stringify(symbol.slice(0, 2));
}

function edgeText({ from, to }: Edge): string {
  return JSON.stringify([from, to]);
}
