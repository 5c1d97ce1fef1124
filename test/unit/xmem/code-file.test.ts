import { type Document, Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectPayload } from '../../../lib/projection/project.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { reorderedFile, scannedFile } from './scanned-file.ts';

const project = (fields: Document) =>
  projectPayload(codeFile, 'f1', { _id: new ObjectId(), org_id: 'o', repo: 'r', file_path: 'src/b/c.ts', ...fields });
const typed = (fields: Document, type: string) => project(fields).relationships.filter((one) => one.type === type);
const labelled = (fields: Document, label: string) => project(fields).nodes.filter((one) => one.label === label);
const symbols = (...names: string[]) => names.map((symbol_name) => ({ symbol_name }));
const to = { file_path: 'src/a.ts', symbol_name: 'run' };

describe('a scanned file', () => {
  it('is a valid subgraph for any result of a scan', () => {
    fc.assert(
      fc.property(scannedFile, (file) => {
        const { nodes, relationships } = projectPayload(codeFile, 'f1', file);
        const declared = new Set((file.symbols ?? []).map(({ symbol_name }) => symbol_name));
        const called = new Set((file.calls ?? []).map((call) => JSON.stringify([call.from, call.to])));
        expect(nodes.filter(({ label }) => label === 'Symbol')).toHaveLength(declared.size);
        expect(relationships.filter(({ type }) => type === 'DEFINES')).toHaveLength(declared.size);
        expect(relationships.filter(({ type }) => type === 'CALLS')).toHaveLength(called.size);
        expect(relationships.filter(({ type }) => type === 'CONTAINS_FILE')).toHaveLength(1);
      }),
    );
  });

  it('is the same subgraph in any order of the scan', () => {
    fc.assert(
      fc.property(reorderedFile, ({ file, other }) => {
        expect(projectPayload(codeFile, 'f1', other)).toStrictEqual(projectPayload(codeFile, 'f1', file));
      }),
    );
  });

  it('lists its properties and symbols, without null or missing ones', () => {
    const symbol = {
      symbol_name: 'Db.open',
      symbol_type: 'method',
      summary: 's',
      signature: 'open()',
      docstring: 'd',
      start_line: new Int32(3),
      end_line: new Int32(9),
      line_count: new Int32(7),
      parent_class: 'Db',
      is_public: true,
      is_entrypoint: false,
      complexity_bucket: 'low',
      language: 'ts',
      content_hash: 'c',
      signature_hash: 'h',
    };
    const file = { language: 'ts', summary: null, symbol_count: new Int32(1), commit_sha: 'abc', content_hash: 'own' };
    const { symbol_name: _, start_line, end_line, line_count, ...texts } = symbol;
    expect(project({ ...file, symbols: [symbol] }).nodes).toMatchObject([
      { label: 'File', shared: false, properties: { language: 'ts', symbol_count: 1n, commit_sha: 'abc' } },
      { label: 'Directory', key: { dir_path: 'src/' }, shared: true, properties: {} },
      { label: 'Directory', key: { dir_path: 'src/b/' }, shared: true, properties: {} },
      {
        label: 'Symbol',
        key: { org_id: 'o', repo: 'r', file_path: 'src/b/c.ts', symbol_name: 'Db.open' },
        shared: false,
        properties: { ...texts, start_line: 3n, end_line: 9n, line_count: 7n },
      },
    ]);
    expect(Object.keys(labelled(file, 'File')[0]?.properties ?? {}).sort()).toStrictEqual([
      'commit_sha',
      'language',
      'symbol_count',
    ]);
  });

  it.each([
    ['src/b/c.ts', ['Repository r', 'Directory src/', 'Directory src/b/', 'File src/b/c.ts']],
    ['src/a.ts', ['Repository r', 'Directory src/', 'File src/a.ts']],
    ['a.ts', ['Repository r', 'Directory /', 'File a.ts']],
    ['/abs/a.ts', ['Repository r', 'Directory /', 'Directory /abs/', 'File /abs/a.ts']],
  ])('is connected to its repository through shared directories: %s', (file_path, chain) => {
    const text = ({ label, key }: { label: string; key: object }) =>
      `${label} ${Object.values(key).at(keyAt[label] ?? 0)}`;
    const keyAt: Record<string, number> = { Repository: 1, Directory: 0, File: 0 };
    const links = project({ file_path }).relationships;
    expect(links.map(({ from, to: below }) => [text(from), text(below)])).toStrictEqual(
      chain.slice(1).map((below, index) => [chain[index], below]),
    );
    expect(links.map(({ type, shared }) => [type, shared])).toStrictEqual([
      ...chain.slice(2).map(() => ['CONTAINS_DIR', true]),
      ['CONTAINS_FILE', false],
    ]);
  });

  it('lists symbols of other files only as endpoints', () => {
    const fields = {
      symbols: symbols('main'),
      calls: [{ from: 'main', to, call_count: new Int32(2), is_direct: true }],
      imports: [{ file_path: 'src/a.ts', import_type: 'relative' }],
      inherits: [{ from: 'main', to }],
      implements: [{ from: 'main', to }],
    };
    const { nodes, relationships } = project(fields);
    expect(nodes.map(({ key }) => key.file_path ?? key.dir_path)).not.toContain('src/a.ts');
    expect(relationships.slice(4).map(({ type, properties }) => [type, properties])).toStrictEqual([
      ['CALLS', { call_count: 2n, is_direct: true }],
      ['IMPORTS', { import_type: 'relative' }],
      ['INHERITS', {}],
      ['IMPLEMENTS', {}],
    ]);
    expect(relationships.slice(4).map((one) => one.to.key.file_path)).toStrictEqual(Array(4).fill('src/a.ts'));
  });

  it.each([
    ['calls', { calls: [{ from: 'gone', to }] }, 'payload.calls[0].from'],
    [
      'inherits',
      {
        inherits: [
          { from: 'main', to },
          { from: 'gone', to },
        ],
      },
      'payload.inherits[1].from',
    ],
    ['implements', { implements: [{ from: 'gone', to }] }, 'payload.implements[0].from'],
    ['a path that is a directory', { file_path: 'src/' }, 'payload.file_path'],
    ['an empty path', { file_path: '' }, 'payload.file_path'],
    ['a symbol without a name', { symbols: symbols('') }, 'payload.symbols[0].symbol_name'],
    ['a line that is a text', { symbols: [{ symbol_name: 'main', start_line: '3' }] }, 'payload.symbols[0].start_line'],
    [
      'a callee without a file',
      { symbols: symbols('m'), calls: [{ from: 'm', to: { symbol_name: 'x' } }] },
      'to.file_path',
    ],
  ])('is refused with the path of the invalid field: %s', (_, fields, path) => {
    expect(() => project({ symbols: symbols('main'), ...fields })).toThrow(
      expect.objectContaining({ code: 'payload-invalid', message: expect.stringContaining(path) }),
    );
  });

  it('with too many elements for a subgraph is refused', () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `s${index}`);
    expect(() => project({ symbols: symbols(...names) })).toThrow(
      expect.objectContaining({ code: 'subgraph-too-large' }),
    );
    expect(project({ symbols: symbols(...names.slice(0, 4_997)) }).nodes).toHaveLength(5_000);
  });
});

describe('an element that a scan lists twice', () => {
  it('is one Symbol with the properties of the first declaration', () => {
    const getter = { symbol_name: 'A.size', signature: 'get size()', start_line: new Int32(4), end_line: new Int32(6) };
    const setter = { symbol_name: 'A.size', signature: 'set size(n)', start_line: new Int32(20), docstring: 'sets' };
    const unknown = { symbol_name: 'A.size', signature: 'size' };
    expect(labelled({ symbols: [unknown, setter, getter] }, 'Symbol')).toMatchObject([
      { properties: { signature: 'get size()', start_line: 4n, end_line: 6n } },
    ]);
    expect(labelled({ symbols: [unknown, setter, getter] }, 'Symbol')[0]?.properties).not.toHaveProperty('docstring');
  });

  it('is one call with the sum of the counts, direct if one is', () => {
    const calls = (...merged: object[]) =>
      typed({ symbols: symbols('main'), calls: merged.map((one) => ({ from: 'main', to, ...one })) }, 'CALLS').map(
        ({ properties }) => properties,
      );
    const big = Long.fromString('9007199254740993');
    expect(
      calls({ call_count: new Int32(2), is_direct: false }, { call_count: new Int32(3), is_direct: true }),
    ).toStrictEqual([{ call_count: 5n, is_direct: true }]);
    expect(calls({ call_count: big }, { call_count: new Int32(1) }, {})).toStrictEqual([
      { call_count: 9007199254740994n },
    ]);
    expect(calls({ is_direct: false }, { is_direct: null })).toStrictEqual([{ is_direct: false }]);
    expect(calls({ call_count: new Double(1) }, { call_count: new Int32(1) })).toStrictEqual([{ call_count: 2 }]);
    expect(calls({}, {})).toStrictEqual([{}]);
  });

  it('is one import with the first type in code unit order', () => {
    const imports = [
      { file_path: 'src/a.ts', import_type: 'type' },
      { file_path: 'src/a.ts' },
      { file_path: 'src/a.ts', import_type: 'direct' },
    ];
    expect(typed({ imports }, 'IMPORTS').map(({ properties }) => properties)).toStrictEqual([
      { import_type: 'direct' },
    ]);
  });

  it('is one INHERITS and one IMPLEMENTS', () => {
    const twice = [
      { from: 'main', to },
      { from: 'main', to },
    ];
    const fields = { symbols: symbols('main'), inherits: twice, implements: twice };
    expect(typed(fields, 'INHERITS')).toHaveLength(1);
    expect(typed(fields, 'IMPLEMENTS')).toHaveLength(1);
  });
});
