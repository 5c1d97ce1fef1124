import { describe, expect, it } from 'vitest';
import { scanSources } from '../../../demo/input/code/scan.ts';
import type { Scan, ScannedFile } from '../../../demo/input/code/scan-types.ts';

/** Scans sources, given by path. */
function scan(sources: Readonly<Record<string, string>>): Scan {
  return scanSources(new Map(Object.entries(sources)));
}

function fileOf({ files }: Scan, path: string): ScannedFile {
  return files.find(({ file_path }) => file_path === path) ?? expect.fail(`${path} was not scanned`);
}

/** Calls as "from -> file#name" with their count, and "~" if the function is only passed on. */
function callsOf(result: Scan, path: string): readonly string[] {
  return fileOf(result, path).calls.map(
    ({ from, to, call_count, is_direct }) =>
      `${from} ${is_direct ? '' : '~'}-> ${to.file_path}#${to.symbol_name} x${call_count}`,
  );
}

describe('symbols', () => {
  it('a getter and its setter share a name and are both listed', () => {
    const { symbols, symbol_count } = fileOf(
      scan({ 'src/a.ts': 'export class A {\n  get size() { return 1; }\n  set size(value: number) {}\n}\n' }),
      'src/a.ts',
    );
    expect(symbols.map(({ symbol_name, symbol_type }) => [symbol_name, symbol_type])).toStrictEqual([
      ['A', 'class'],
      ['A.size', 'getter'],
      ['A.size', 'setter'],
    ]);
    expect(symbol_count).toBe(2);
  });

  it('every overload is listed, with the implementation', () => {
    const { symbols } = fileOf(
      scan({
        'src/a.ts': `export function f(a: string): string;
export function f(a: number): number;
export function f(a: unknown): unknown { return a; }
class C { m(a: string): void; m(a: number): void; m(a: unknown) {} }`,
      }),
      'src/a.ts',
    );
    expect(symbols.map(({ symbol_name }) => symbol_name)).toStrictEqual(['f', 'f', 'f', 'C', 'C.m', 'C.m', 'C.m']);
    expect(symbols.slice(0, 3).map(({ start_line }) => start_line)).toStrictEqual([1, 2, 3]);
  });

  it('have their lines, the comment above them, and their visibility', () => {
    const result = scan({
      'src/index.ts': "export { Store } from './store';",
      'src/store.ts': `/** Keeps things. */
export class Store {
  /** @internal */
  private load(key: string): string | null {
    if (key === '') return null;
    return key;
  }
  #hidden() {}
  readonly close = async () => {};
}
function helper() {}
`,
    });
    const { symbols } = fileOf(result, 'src/store.ts');
    expect(symbols[0]).toMatchObject({
      symbol_name: 'Store',
      docstring: 'Keeps things.',
      signature: 'export class Store {',
      start_line: 2,
      end_line: 10,
      line_count: 9,
      is_public: true,
      is_entrypoint: true,
      parent_class: null,
    });
    expect(symbols[1]).toMatchObject({
      symbol_name: 'Store.load',
      signature: 'private load(key: string): string | null',
      docstring: null,
      is_public: false,
      is_entrypoint: false,
      parent_class: 'Store',
    });
    expect(symbols.slice(2).map(({ symbol_name, is_public }) => [symbol_name, is_public])).toStrictEqual([
      ['Store.#hidden', false],
      ['Store.close', true],
      ['helper', false],
    ]);
  });

  it('a changed body changes the content hash, but not the signature hash', () => {
    const [before, after] = ['1', '2'].map((value) => {
      const [symbol] = fileOf(scan({ 'src/a.ts': `export function f() { return ${value}; }` }), 'src/a.ts').symbols;
      return symbol ?? expect.fail('no symbol');
    });
    expect(after?.content_hash).not.toBe(before?.content_hash);
    expect(after?.signature_hash).toBe(before?.signature_hash);
  });

  it('are in one of three buckets by their number of branches', () => {
    const branching = (branches: number) => `function f${branches}(a: number) { ${'if (a) a += 1;'.repeat(branches)} }`;
    const { symbols } = fileOf(scan({ 'src/a.ts': [4, 5, 11].map(branching).join('\n') }), 'src/a.ts');
    expect(symbols.map(({ complexity_bucket }) => complexity_bucket)).toStrictEqual(['low', 'medium', 'high']);
  });
});

describe('calls', () => {
  it('through `this` go to the class, or to the base class in another file that has the method', () => {
    const result = scan({
      'src/base.ts': 'export class Base { protected close() {} }',
      'src/a.ts': `import { Base } from './base';
export class A extends Base {
  own() {}
  run() { this.own(); this.own(); this.close(); super.close(); }
}`,
    });
    expect(callsOf(result, 'src/a.ts')).toStrictEqual([
      'A.run -> src/a.ts#A.own x2',
      'A.run -> src/base.ts#Base.close x2',
    ]);
  });

  it('of imported names go through re-exports to the declaration', () => {
    const result = scan({
      'src/deep.ts': 'export function work() {}\nexport default function () {}',
      'src/index.ts': "export * from './deep';\nexport { work as labour } from './deep';",
      'src/a.ts': `import { work, labour } from './index';
import unnamed from './deep';
export function run() { work(); labour(); unnamed(); }`,
    });
    expect(callsOf(result, 'src/a.ts')).toStrictEqual(['run -> src/deep.ts#work x2', 'run -> src/deep.ts#default x1']);
  });

  it('of a constructor go to it, or to a class without one', () => {
    const result = scan({
      'src/a.ts': `class With { constructor(readonly a: number) {} }
class Without {}
const make = () => [new With(1), new Without()];`,
    });
    expect(callsOf(result, 'src/a.ts')).toStrictEqual([
      'make -> src/a.ts#With.constructor x1',
      'make -> src/a.ts#Without x1',
    ]);
  });

  it('of an overload go to the shared name', () => {
    const result = scan({
      'src/a.ts': `function f(a: string): void; function f(a: number): void; function f(a: unknown) {}
function run() { f('a'); f(1); }`,
    });
    expect(callsOf(result, 'src/a.ts')).toStrictEqual(['run -> src/a.ts#f x2']);
  });

  it('inside a callback belong to the enclosing symbol; a function passed on is called indirectly', () => {
    const result = scan({
      'src/a.ts': `function double(n: number) { return 2 * n; }
class A { twice(n: number) { return n; } }
function run(list: number[], a: A) { list.map(double); list.forEach(n => { double(n); }); return list.map(a.twice); }
function only(list: number[]) { return list.map(double); }`,
    });
    expect(callsOf(result, 'src/a.ts')).toStrictEqual([
      'run -> src/a.ts#double x2',
      'run ~-> src/a.ts#A.twice x1',
      'only ~-> src/a.ts#double x1',
    ]);
  });

  it('that leave the sources, or are outside of any symbol, are counted but create no edge', () => {
    const { files, leftOut } = scan({
      'src/a.ts': `import { readFile } from 'node:fs';
import { ObjectId } from 'bson';
function own() {}
function run(given: () => void) { readFile('a'); new ObjectId(); [].concat([]); given(); }
own();`,
    });
    expect(files[0]?.calls).toStrictEqual([]);
    expect(leftOut).toStrictEqual({ callsElsewhere: 4, callsAtTopLevel: 1 });
  });
});

describe('imports', () => {
  it('are one per file, of the strongest kind, including types and re-exports', () => {
    const result = scan({
      'src/types.ts': 'export interface T {}\nexport const value = 1;',
      'src/both.ts': 'export interface B {}\nexport const both = 1;',
      'src/passed.ts': 'export const passed = 1;',
      'src/lazy.ts': 'export const lazy = 1;',
      'src/inline.ts': 'export interface I {}',
      'src/a.ts': `import type { T } from './types';
import type { B } from './both';
import { both } from './both';
export { passed } from './passed';
import { type I } from './inline';
import { readFile } from 'node:fs';
export const load = () => import('./lazy');
export type Value = import('./types').T;`,
    });
    expect(fileOf(result, 'src/a.ts').imports).toStrictEqual([
      { file_path: 'src/types.ts', import_type: 'type' },
      { file_path: 'src/both.ts', import_type: 'value' },
      { file_path: 'src/passed.ts', import_type: 'reexport' },
      { file_path: 'src/inline.ts', import_type: 'type' },
      { file_path: 'src/lazy.ts', import_type: 'value' },
    ]);
  });
});

describe('the base of classes and interfaces', () => {
  it('is found across files; names outside of the sources are omitted', () => {
    const result = scan({
      'src/base.ts': 'export class Base {}\nexport interface Shape {}',
      'src/a.ts': `import { EventEmitter } from 'node:events';
import { Base, type Shape } from './base';
export class A extends Base implements Shape {}
export class Emitter extends EventEmitter {}
export interface Square extends Shape {}
export class Failure extends Error {}`,
    });
    expect(fileOf(result, 'src/a.ts').inherits).toStrictEqual([
      { from: 'A', to: { file_path: 'src/base.ts', symbol_name: 'Base' } },
      { from: 'Square', to: { file_path: 'src/base.ts', symbol_name: 'Shape' } },
    ]);
    expect(fileOf(result, 'src/a.ts').implements).toStrictEqual([
      { from: 'A', to: { file_path: 'src/base.ts', symbol_name: 'Shape' } },
    ]);
  });
});

describe('a scan', () => {
  it('names only symbols that it lists', () => {
    const result = scan({
      'src/a.ts': `export class A {
  items = new Map<string, () => void>();
  run() { const inner = () => this.run(); inner(); class Local { m() { inner(); } } new Local().m(); }
}
export const enumLike = Object.freeze({ run() { return new A(); } });
export default { start() { new A().run(); } };
export namespace N { export function f() { new A(); } }`,
    });
    const [file] = result.files;
    const names = new Set(file?.symbols.map(({ symbol_name }) => symbol_name));
    expect(names).toStrictEqual(new Set(['A', 'A.run', 'default']));
    for (const { from, to } of file?.calls ?? []) {
      expect(names).toContain(from);
      expect(names).toContain(to.symbol_name);
    }
    expect(callsOf(result, 'src/a.ts')).toStrictEqual([
      'A.run -> src/a.ts#A.run x1',
      'default -> src/a.ts#A.run x1',
      'default -> src/a.ts#A x1',
    ]);
  });
});
