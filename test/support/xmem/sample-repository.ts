/**
 * A small repository as two scans find it, with features of real ones: nested directories, a getter
 * with its setter, overloads, modules that import each other, and calls of unknown symbols.
 */
import { Double } from 'mongodb';
import type { ScannedFile } from './code-scan.ts';

const symbol = (symbol_name: string, start_line: number, body = 'v1') => ({
  symbol_name,
  symbol_type: symbol_name.includes('.') ? 'method' : 'function',
  signature: `${symbol_name}()`,
  start_line,
  end_line: start_line + 4,
  line_count: 5,
  parent_class: symbol_name.includes('.') ? symbol_name.split('.')[0] : null,
  is_public: true,
  is_entrypoint: symbol_name === 'main',
  complexity_bucket: 'low',
  language: 'typescript',
  content_hash: `${symbol_name}-${body}`,
});

const pool: ScannedFile = {
  file_path: 'src/net/pool.ts',
  language: 'typescript',
  summary: 'Connections.',
  symbol_count: 4,
  total_lines: 80,
  commit_sha: 'c1',
  symbols: [
    { ...symbol('Pool', 1), symbol_type: 'class', parent_class: null },
    symbol('Pool.size', 10),
    { ...symbol('Pool.size', 16), signature: 'Pool.size(value)' },
    symbol('Pool.take', 30),
  ],
  calls: [
    {
      from: 'Pool.take',
      to: { file_path: 'src/net/pool.ts', symbol_name: 'Pool.size' },
      call_count: 2,
      is_direct: false,
    },
    {
      from: 'Pool.take',
      to: { file_path: 'src/net/pool.ts', symbol_name: 'Pool.size' },
      call_count: 1,
      is_direct: true,
    },
    { from: 'Pool.take', to: { file_path: 'node:net', symbol_name: 'connect' }, call_count: 1, is_direct: true },
  ],
  imports: [{ file_path: 'src/log.ts', import_type: 'relative' }],
};

const log: ScannedFile = {
  file_path: 'src/log.ts',
  language: 'typescript',
  total_lines: 20,
  symbols: [{ ...symbol('Log', 1), symbol_type: 'class', parent_class: null }, symbol('write', 8)],
};

const main: ScannedFile = {
  file_path: 'main.ts',
  language: 'typescript',
  symbols: [symbol('main', 3), symbol('PooledLog', 20)],
  calls: [
    { from: 'main', to: { file_path: 'src/net/pool.ts', symbol_name: 'Pool.take' }, call_count: 3, is_direct: true },
    { from: 'main', to: { file_path: 'src/log.ts', symbol_name: 'write' }, call_count: 1, is_direct: true },
  ],
  imports: [
    { file_path: 'src/net/pool.ts', import_type: 'relative' },
    { file_path: 'src/log.ts', import_type: 'relative' },
    { file_path: 'src/log.ts', import_type: 'direct' },
  ],
  inherits: [{ from: 'PooledLog', to: { file_path: 'src/log.ts', symbol_name: 'Log' } }],
  implements: [{ from: 'PooledLog', to: { file_path: 'src/net/pool.ts', symbol_name: 'Pool' } }],
};

/** The result of the first scan. */
export const firstScan: readonly ScannedFile[] = [pool, log, main];

/**
 * The same repository some commits later: one body edited, one symbol renamed, one call removed,
 * one file and its directory removed, one file new, one unchanged.
 */
export const secondScan: readonly ScannedFile[] = [
  {
    ...main,
    symbols: [symbol('main', 3, 'v2')],
    calls: [
      { from: 'main', to: { file_path: 'lib/pool.ts', symbol_name: 'Pool.take' }, call_count: 1, is_direct: true },
    ],
    imports: [{ file_path: 'lib/pool.ts', import_type: 'relative' }],
    inherits: [],
    implements: null,
  },
  { ...pool, file_path: 'lib/pool.ts', symbols: [symbol('Pool.take', 1, 'v2'), symbol('Pool.count', 9)], calls: [] },
  log,
];

/** A user's events: several on one day, the same name twice, fields of every kind. */
export const sampleEvents: readonly (Readonly<Record<string, unknown>> & { readonly date: string })[] = [
  { date: '12-10', event_name: 'Nobel Day', desc: 'a prize', year: 2024, time: '16:30', embedding: [0.25, 0.5] },
  { date: '12-10', event_name: 'Human Rights Day', year: '1948', embedding: [new Double(1), new Double(0.5)] },
  { date: '02-29', event_name: 'Leap Day', date_expression: 'every four years' },
  { date: '02-29', event_name: 'Leap Day' },
];
