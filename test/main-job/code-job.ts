/**
 * The input `code`: five published versions of one package, scanned one after the other into one repository. After each scan the graph must equal one that is built from scratch from
 * that version alone, said twice: by the documents' projections, and straight from the scan. The same scans are then written the way that XMem writes them today.
 */
import { printStep } from '../../infra/local/progress.ts';
import { codeFile } from '../../lib/aggregates/code-file.ts';
import { codeRepository } from '../../lib/aggregates/code-repository.ts';
import { scanSources } from '../input/code/scan.ts';
import {
  type CodeRepository,
  compareScanGraphs,
  pictureOf,
  type ScanGraph,
  scanGraph,
} from '../input/code/scan-graph.ts';
import type { Scan, Sources } from '../input/code/scan-types.ts';
import { codeVersions, readCodeVersion } from '../input/code/versions.ts';
import { writeScan } from '../input/code/write-scan.ts';
import { readDocumentStates } from '../model/document-states.ts';
import { expectedGraph } from '../model/expected-graph.ts';
import { readGraph } from '../model/read-graph.ts';
import { codeText, type ScanSummary } from './code-summary.ts';
import { comparePictures } from './compare-graph.ts';
import type { Job, JobContext } from './job.ts';
import { readOutboxFigures } from './outbox-figures.ts';
import { untilDrained } from './until-drained.ts';
import { countXmemLeftovers } from './xmem/count-leftovers.ts';
import { prepareXmemScans, writeScanAsXmem, type XmemHashes } from './xmem/write-scan.ts';

const repository: CodeRepository = { org_id: 'mongodb', repo: 'node-mongodb-native' };

/** Two versions, with the files of one folder. */
const small = { versions: ['6.12.0', '7.0.0'], folder: 'src/cmap/' };

const keyNames = {
  Repository: ['org_id', 'repo_name'],
  Directory: ['org_id', 'repo', 'dir_path'],
  File: ['org_id', 'repo', 'file_path'],
  Symbol: ['org_id', 'repo', 'file_path', 'symbol_name'],
};

export const runCode: Job = async (context) => {
  const versions = codeVersions.filter(({ version }) => !context.small || small.versions.includes(version));
  await prepareXmemScans(context.driver, context.neo4jDatabase);
  const hashes: XmemHashes = { files: new Map(), symbols: new Map() };
  const scans: ScanSummary[] = [];
  let before: ScanGraph = { nodes: new Map(), relationships: new Map() };
  for (const version of versions) {
    const sources = await readCodeVersion(version, printStep, context.signal);
    const scan = await printStep(`Scanning ${version.name} ${version.version}`, async () =>
      scanSources(context.small ? onlyIn(small.folder, sources) : sources),
    );
    const after = scanGraph(repository, scan);
    const written = await printStep('Writing it, and waiting for the graph', () =>
      writeAndCompare(context, scan, after),
    );
    const xmem = await printStep("Writing it in XMem's way", async () => ({
      ...(await writeScanAsXmem(context.driver, context.neo4jDatabase, repository, scan, hashes)),
      ...(await countXmemLeftovers(context.driver, context.neo4jDatabase, repository, scan)),
    }));
    scans.push({ version: version.version, ...countScan(scan), ...compareScanGraphs(before, after), ...written, xmem });
    before = after;
  }
  return {
    equal: scans.every(({ differences, dead, pending }) => differences.length === 0 && dead === 0 && pending === 0),
    text: codeText(scans),
    summary: { input: 'code', scans },
  };
};

/** Brings the documents to the scan, waits, and compares the graph. */
async function writeAndCompare(context: JobContext, scan: Scan, demanded: ScanGraph) {
  const { client, db, outbox, driver, neo4jDatabase, signal } = context;
  const filter = { createdAt: { $gte: new Date() } };
  const startedAt = performance.now();
  const writing = writeScan(client, db, repository, scan);
  await untilDrained({ outbox, writing, progress: { written: 0 }, filter, signal });
  const seconds = (performance.now() - startedAt) / 1000;
  const files = await writing;

  const { org_id, repo } = repository;
  const found = await readGraph(driver, neo4jDatabase, keyNames, { org_id });
  const states = [
    ...(await readDocumentStates(db, codeRepository, { org_id, repo_name: repo })),
    ...(await readDocumentStates(db, codeFile, { org_id, repo })),
  ];
  const withDocuments = comparePictures(expectedGraph(states), found);
  const withScan = comparePictures(pictureOf(demanded), found);
  const { events, dead, pending } = await readOutboxFigures(outbox, filter);
  return {
    ...files,
    events,
    dead,
    pending,
    seconds,
    bareSymbols: await countBareSymbols(context),
    nodes: withScan.nodes,
    relationships: withScan.relationships,
    differences: [
      ...withDocuments.differences.map((difference) => `documents: ${difference}`),
      ...withScan.differences.map((difference) => `scan: ${difference}`),
    ],
  };
}

/** Symbols that only a call or an inheritance names: no file in the repository defines them. */
async function countBareSymbols({ driver, neo4jDatabase }: JobContext): Promise<number> {
  const { records } = await driver.executeQuery(
    'MATCH (s:Symbol {org_id: $org_id, repo: $repo}) WHERE NOT ()-[:DEFINES]->(s) RETURN count(s) AS bare',
    { ...repository },
    { database: neo4jDatabase },
  );
  return Number(records[0]?.get('bare') ?? 0);
}

function countScan({ files, leftOut }: Scan) {
  const sum = (count: (file: Scan['files'][number]) => number) => files.reduce((total, file) => total + count(file), 0);
  return {
    files: files.length,
    symbols: sum(({ symbol_count }) => symbol_count),
    /** Declarations beyond the first of their name. */
    repeatedNames: sum(({ symbols, symbol_count }) => symbols.length - symbol_count),
    calls: sum(({ calls }) => calls.length),
    imports: sum(({ imports }) => imports.length),
    inherits: sum(({ inherits }) => inherits.length),
    implements: sum((file) => file.implements.length),
    leftOut,
  };
}

function onlyIn(folder: string, sources: Sources): Sources {
  return new Map([...sources].filter(([file]) => file.startsWith(folder)));
}
