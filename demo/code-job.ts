/**
 * The input `code`: five published versions of one package, scanned one after the other into one
 * repository. After each scan, the graph must equal one built from scratch from that version alone.
 * It is built in two ways: by the documents' projections, and directly from the scan. The same
 * scans are then written the way that XMem writes them today.
 */
import { printStep } from '../tools/local/progress.ts';
import { bringToScan } from './bring-to-scan.ts';
import { codeText, type ScanSummary } from './code-summary.ts';
import { scanSources } from './input/code/scan.ts';
import { type CodeRepository, compareScanGraphs, type ScanGraph, scanGraph } from './input/code/scan-graph.ts';
import type { Scan, Sources } from './input/code/scan-types.ts';
import { codeVersions, readCodeVersion } from './input/code/versions.ts';
import type { Job } from './job.ts';
import { countXmemLeftovers } from './xmem/count-leftovers.ts';
import { prepareXmemScans, writeScanAsXmem, type XmemHashes } from './xmem/write-scan.ts';

const repository: CodeRepository = { org_id: 'mongodb', repo: 'node-mongodb-native' };

/** Two versions, with only the files of one folder. */
const small = { versions: ['6.12.0', '7.0.0'], folder: 'src/cmap/' };

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
    const written = await printStep('Writing the scan, and waiting for the graph', () =>
      bringToScan(context, repository, scan),
    );
    const xmem = await printStep("Writing the scan in XMem's way", async () => ({
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

function countScan({ files, leftOut }: Scan) {
  const sum = (count: (file: Scan['files'][number]) => number) => files.reduce((total, file) => total + count(file), 0);
  return {
    files: files.length,
    symbols: sum(({ symbol_count }) => symbol_count),
    /** Declarations after the first one of their name. */
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
