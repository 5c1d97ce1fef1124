/**
 * The scanner. It turns TypeScript sources into one `code_files` document per file, as XMem's own
 * scanner would write them. The type checker resolves names within the sources only. References
 * outside of them (Node's library, other packages) are counted and skipped. This is test input, not
 * part of the product.
 */
import ts from 'typescript';
import { createProgram } from './create-program.ts';
import { type Declared, listDeclarations, qualifiedName } from './declarations.ts';
import { findReferences, type References } from './references.ts';
import type { Scan, ScannedFile, Sources } from './scan-types.ts';
import { shortHash } from './short-hash.ts';
import { describeSymbol } from './symbols.ts';

/** Scans the sources. The same sources always give the same scan. */
export function scanSources(sources: Sources, entryPath = 'src/index.ts'): Scan {
  const program = createProgram(sources);
  const checker = program.getTypeChecker();
  const entrypoints = exportedDeclarations(program, checker, entryPath);
  const scanned = [...sources.keys()].sort().map((filePath) => {
    const source = program.getSourceFile(`/${filePath}`);
    if (source === undefined) throw new Error(`The compiler did not accept ${filePath} as a source.`);
    const declarations = listDeclarations(source);
    const references = findReferences(source, checker, sources);
    return { file: scannedFile(filePath, source, declarations, entrypoints, references), references };
  });
  const sum = (count: (references: References) => number) =>
    scanned.reduce((total, { references }) => total + count(references), 0);
  return {
    files: scanned.map(({ file }) => file),
    leftOut: {
      callsElsewhere: sum((references) => references.callsElsewhere),
      callsAtTopLevel: sum((references) => references.callsAtTopLevel),
    },
  };
}

function scannedFile(
  filePath: string,
  source: ts.SourceFile,
  declarations: readonly Declared[],
  entrypoints: ReadonlySet<ts.Node>,
  { calls, imports, inherits, implemented }: References,
): ScannedFile {
  const symbols = declarations.map((declared) => describeSymbol(source, declared, entrypoints.has(declared)));
  return {
    file_path: filePath,
    language: 'typescript',
    symbol_count: new Set(symbols.map((symbol) => symbol.symbol_name)).size,
    total_lines: source.getLineStarts().length,
    content_hash: shortHash(source.text),
    symbols,
    calls,
    imports,
    inherits,
    implements: implemented,
  };
}

/** The declarations that the entry file exports, wherever they are. */
function exportedDeclarations(program: ts.Program, checker: ts.TypeChecker, entryPath: string): ReadonlySet<ts.Node> {
  const entry = program.getSourceFile(`/${entryPath}`);
  const symbol = entry === undefined ? undefined : checker.getSymbolAtLocation(entry);
  if (symbol === undefined) return new Set();
  const exported = checker
    .getExportsOfModule(symbol)
    .map((one) => (one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one));
  return new Set(exported.flatMap((one) => one.declarations ?? []).filter((node) => qualifiedName(node) !== undefined));
}
