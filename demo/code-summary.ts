/** The results of the scans: data for programs, and tables for people. */

import type { BroughtToScan } from './bring-to-scan.ts';
import type { ElementChanges } from './input/code/scan-graph.ts';
import type { LeftOut } from './input/code/scan-types.ts';
import { verdictLines } from './summary.ts';
import type { XmemLeftovers } from './xmem/count-leftovers.ts';
import type { XmemScan } from './xmem/write-scan.ts';

/** One scan, its changes, and the same scan in XMem's way. */
export interface ScanSummary extends BroughtToScan, ElementChanges {
  readonly version: string;
  readonly files: number;
  readonly symbols: number;
  readonly repeatedNames: number;
  readonly calls: number;
  readonly imports: number;
  readonly inherits: number;
  readonly implements: number;
  readonly leftOut: LeftOut;
  readonly xmem: XmemScan & XmemLeftovers;
}

/** The summary for people. */
export function codeText(scans: readonly ScanSummary[]): string {
  const scanRows = scans.map((scan) => [
    scan.version,
    ...[scan.files, scan.symbols, scan.repeatedNames, scan.calls, scan.imports, scan.inherits + scan.implements],
    ...[scan.events, scan.unchanged, scan.added, scan.changed, scan.removed, scan.bareSymbols],
    seconds(scan.seconds),
  ]);
  const xmemRows = scans.map(({ version, xmem }) => [
    version,
    ...[xmem.transactions, seconds(xmem.seconds), xmem.dropped, xmem.ghostFiles, xmem.ghostNames, xmem.ghostVersions],
    ...[xmem.staleCalls, xmem.staleImports, xmem.missingCalls],
  ]);
  const scanTitles =
    'version,files,symbols,repeated,calls,imports,bases,events,unchanged,added,changed,removed,bare,time'.split(',');
  const xmemTitles = (
    'version,transactions,time,dropped edges,ghost files,ghost names,' +
    'ghost versions,stale calls,stale imports,missing calls'
  ).split(',');
  const lines = [
    '',
    'code',
    ...tableLines(scanTitles, scanRows),
    "  XMem's way, writing only to the graph; its leftovers after each scan",
    ...tableLines(xmemTitles, xmemRows),
    ...scans.flatMap(({ version, differences }) => verdictLines(`one built from ${version} alone`, differences)),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

type Cell = string | number;

/** Columns are as wide as their text. All but the first are aligned right. */
function tableLines(titles: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] {
  const texts = [
    titles,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  ];
  const widths = titles.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  return texts.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('  ')}`;
  });
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
