/**
 * Writes a scan as XMem writes it today, straight to the graph, for comparison only. Each upsert is
 * one transaction, the hash of a symbol's text is in its key, and nothing is deleted. A file or
 * symbol whose text has not changed since the last scan is skipped. Edges look up their ends
 * without the hash, so they find all versions. If one end does not exist, nothing is written, but
 * the edge counts as created. Uses its own labels.
 *
 * This is more favourable than XMem: the type checker resolves names, one upsert is one statement
 * where XMem sends up to ten for a symbol, there is an index to look up ends by, and MongoDB is
 * left out.
 */
import type { Driver } from 'neo4j-driver';
import type { CodeRepository } from '../input/code/scan-graph.ts';
import type { Scan, ScannedFile } from '../input/code/scan-types.ts';
import { type AutoCommit, openAutoCommit } from './auto-commit.ts';

/** The cost of writing one scan. */
export interface XmemScan {
  readonly transactions: number;
  readonly seconds: number;
  /** Edges that count as created but were not. */
  readonly dropped: number;
}

/** The part of the last scan that XMem keeps in MongoDB: the hashes of files and symbols. */
export interface XmemHashes {
  readonly files: Map<string, string>;
  readonly symbols: Map<string, string>;
}

const schema = [
  'CREATE CONSTRAINT xmem_directory IF NOT EXISTS ' +
    'FOR (d:XmemDirectory) REQUIRE (d.org_id, d.repo, d.dir_path) IS UNIQUE',
  'CREATE CONSTRAINT xmem_file IF NOT EXISTS FOR (f:XmemFile) REQUIRE (f.org_id, f.repo, f.file_path) IS UNIQUE',
  `CREATE CONSTRAINT xmem_symbol IF NOT EXISTS FOR (s:XmemSymbol)
     REQUIRE (s.org_id, s.repo, s.file_path, s.symbol_name, s.content_hash) IS UNIQUE`,
  'CREATE INDEX xmem_symbol_name IF NOT EXISTS FOR (s:XmemSymbol) ON (s.org_id, s.repo, s.file_path, s.symbol_name)',
  'CALL db.awaitIndexes(60)',
];

const scope = 'org_id: $org_id, repo: $repo';

const upsertDirectory = `MERGE (d:XmemDirectory {${scope}, dir_path: $dir_path})`;
const upsertFile = `MERGE (f:XmemFile {${scope}, file_path: $file_path}) SET f += $properties
  WITH f MATCH (d:XmemDirectory {${scope}, dir_path: $dir_path}) MERGE (d)-[:CONTAINS_FILE]->(f)`;
const upsertSymbol = `MERGE (s:XmemSymbol {
    ${scope}, file_path: $file_path, symbol_name: $symbol_name, content_hash: $content_hash
  })
  SET s += $properties
  WITH s MATCH (f:XmemFile {${scope}, file_path: $file_path}) MERGE (f)-[:DEFINES]->(s)`;
const upsertImport = `MATCH (a:XmemFile {${scope}, file_path: $file_path})
  MATCH (b:XmemFile {${scope}, file_path: $imported})
  MERGE (a)-[r:IMPORTS]->(b) SET r.import_type = $import_type RETURN count(r) AS written`;
const upsertLink = (type: string) => `MATCH (a:XmemSymbol {${scope}, file_path: $file_path, symbol_name: $from})
  MATCH (b:XmemSymbol {${scope}, file_path: $to_file, symbol_name: $to_name})
  MERGE (a)-[r:${type}]->(b) SET r += $properties RETURN count(r) AS written`;

/** Creates the constraints and the index. */
export async function prepareXmemScans(driver: Driver, database: string): Promise<void> {
  for (const statement of schema) await driver.executeQuery(statement, {}, { database });
}

/** Writes one scan, and updates `hashes` to it. */
export async function writeScanAsXmem(
  driver: Driver,
  database: string,
  { org_id, repo }: CodeRepository,
  { files }: Pick<Scan, 'files'>,
  hashes: XmemHashes,
): Promise<XmemScan> {
  const session = openAutoCommit(driver, database);
  const graph: AutoCommit = {
    ...session,
    run: (statement, parameters) => session.run(statement, { org_id, repo, ...parameters }),
  };
  const startedAt = performance.now();
  try {
    const changed = files.filter(({ file_path, content_hash }) => hashes.files.get(file_path) !== content_hash);
    for (const file of changed) await writeFile(graph, file, hashes);
    let dropped = 0;
    for (const file of changed) dropped += await writeEdges(graph, file);
    return { transactions: session.transactions(), seconds: (performance.now() - startedAt) / 1000, dropped };
  } finally {
    await session.close();
  }
}

async function writeFile(graph: AutoCommit, file: ScannedFile, hashes: XmemHashes): Promise<void> {
  const { file_path, language, symbol_count, total_lines } = file;
  const dir_path = file_path.slice(0, file_path.lastIndexOf('/') + 1);
  await graph.run(upsertDirectory, { dir_path });
  await graph.run(upsertFile, { file_path, dir_path, properties: { language, symbol_count, total_lines } });
  const before = new Map(
    file.symbols.map(({ symbol_name }) => [symbol_name, hashes.symbols.get(`${file_path} ${symbol_name}`)]),
  );
  for (const { symbol_name, content_hash, ...properties } of file.symbols) {
    if (before.get(symbol_name) === content_hash) continue;
    await graph.run(upsertSymbol, { file_path, symbol_name, content_hash, properties });
    hashes.symbols.set(`${file_path} ${symbol_name}`, content_hash);
  }
  hashes.files.set(file_path, file.content_hash);
}

/** Returns how many edges lacked an end. */
async function writeEdges(
  graph: AutoCommit,
  { file_path, calls, imports, inherits, implements: implemented }: ScannedFile,
): Promise<number> {
  const links = [
    ...calls.map((call) => ({ type: 'CALLS', ...call })),
    ...inherits.map((link) => ({ type: 'INHERITS', ...link })),
    ...implemented.map((link) => ({ type: 'IMPLEMENTS', ...link })),
  ];
  let dropped = 0;
  const write = async (statement: string, parameters: Record<string, unknown>) => {
    const [row] = await graph.run(statement, { file_path, ...parameters });
    if (Number(row?.written ?? 0) === 0) dropped += 1;
  };
  for (const { type, from, to, ...properties } of links) {
    await write(upsertLink(type), { from, to_file: to.file_path, to_name: to.symbol_name, properties });
  }
  for (const { file_path: imported, import_type } of imports) await write(upsertImport, { imported, import_type });
  return dropped;
}
