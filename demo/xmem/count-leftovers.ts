/** What XMem's way has left in the graph after a scan, counted against the scan. */
import type { Driver } from 'neo4j-driver';
import type { CodeRepository } from '../input/code/scan-graph.ts';
import type { Scan, ScannedFile } from '../input/code/scan-types.ts';

/**
 * Ghosts are nodes that the scan does not know; stale edges those that it does not say, or that have a ghost at one
 * end; missing ones it says, and no two living ends have them.
 */
export interface XmemLeftovers {
  readonly ghostFiles: number;
  /** Symbols whose name is gone from the file, or with their file. */
  readonly ghostNames: number;
  /** Symbols of a name that is there, with a text that it had before. */
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

/** Reads the repository's nodes and edges, and compares. */
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

  const living = livingElements(files);
  const ghosts = foundSymbols.filter((symbol) => !living.symbols.has(JSON.stringify(symbol)));
  const ghostVersions = ghosts.filter((symbol) => living.names.has(nameOf(symbol))).length;
  const isLiving = ([from = [], to = []]: readonly string[][]) =>
    living.symbols.has(JSON.stringify(from)) && living.symbols.has(JSON.stringify(to));
  const good = calls.filter((call) => isLiving(call) && living.calls.has(edgeText(callNames(call))));
  const called = new Set(good.map((call) => edgeText(callNames(call))));
  return {
    ghostFiles: foundFiles.filter((file) => !living.files.has(file)).length,
    ghostNames: ghosts.length - ghostVersions,
    ghostVersions,
    staleCalls: calls.length - good.length,
    staleImports: imports.filter(([from = '', to = '']) => !living.imports.has(edgeText({ from, to }))).length,
    missingCalls: living.calls.size - called.size,
  };
}

function livingElements(files: readonly ScannedFile[]) {
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
