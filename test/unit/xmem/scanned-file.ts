/**
 * Random results of scanning a file: often the same names and lines, null or missing fields, and
 * numbers as BSON stores them.
 */
import { Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';

const someName = fc.constantFrom('a', 'B.get', 'B.set', 'c', 'constructor', '__proto__', 'é', '"');
const somePath = fc.constantFrom('a.ts', 'src/a.ts', 'src/b/c.ts', 'src/b/d.ts');
const someText = fc.constantFrom('', 'x', 'y');
const someLine = fc.constantFrom(
  new Int32(1),
  new Int32(2),
  new Double(2),
  Long.fromString('3'),
  new Double(Number.NaN),
);
const someCount = fc.constantFrom(
  new Int32(1),
  new Int32(2),
  Long.fromString('9007199254740993'),
  new Double(0.1),
  new Double(0.2),
);

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 3 });

const someSymbol = fc.record(
  {
    symbol_name: someName,
    symbol_type: optional(someText),
    signature: optional(someText),
    start_line: optional(someLine),
    end_line: optional(someLine),
    is_public: optional(fc.boolean()),
  },
  { requiredKeys: ['symbol_name'] },
);

const target = fc.record({ file_path: somePath, symbol_name: someName });

/** A document of the type `code-file`. References to its own symbols exist. */
export const scannedFile = fc
  .record({ file_path: somePath, symbols: fc.array(someSymbol, { maxLength: 12 }) })
  .chain(({ file_path, symbols }) => {
    const from = fc.constantFrom(
      ...symbols.map(({ symbol_name }) => symbol_name),
      ...(symbols.length === 0 ? ['none'] : []),
    );
    // Without symbols, there are no references.
    const upTo = (maxLength: number) => ({ maxLength: symbols.length === 0 ? 0 : maxLength });
    const references = fc.array(fc.record({ from, to: target }), upTo(6));
    const calls = fc.array(
      fc.record(
        { from, to: target, call_count: optional(someCount), is_direct: optional(fc.boolean()) },
        { requiredKeys: ['from', 'to'] },
      ),
      upTo(12),
    );
    const imports = fc.array(
      fc.record({ file_path: somePath, import_type: optional(someText) }, { requiredKeys: ['file_path'] }),
      { maxLength: 6 },
    );
    return fc.record(
      {
        _id: fc.constant(new ObjectId()),
        org_id: fc.constant('o'),
        repo: fc.constant('r'),
        file_path: fc.constant(file_path),
        language: optional(someText),
        symbol_count: optional(someLine),
        content_hash: optional(someText),
        symbols: symbols.length === 0 ? optional(fc.constant(symbols)) : fc.constant(symbols),
        calls: optional(calls),
        imports: optional(imports),
        inherits: optional(references),
        implements: optional(references),
      },
      { requiredKeys: ['_id', 'org_id', 'repo', 'file_path', 'symbols'] },
    );
  });

/** A file, and the same file with every list in another order. */
export const reorderedFile = scannedFile.chain((file) => {
  const shuffled = <Value>(list: readonly Value[] | null | undefined) =>
    list === null || list === undefined
      ? fc.constant(list)
      : fc.shuffledSubarray([...list], { minLength: list.length });
  return fc
    .record({
      symbols: shuffled(file.symbols),
      calls: shuffled(file.calls),
      imports: shuffled(file.imports),
      inherits: shuffled(file.inherits),
      implements: shuffled(file.implements),
    })
    .map((lists) => ({ file, other: { ...file, ...lists } }));
});
