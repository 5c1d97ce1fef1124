/**
 * The compiler's view of sources in memory. They see each other and the language's own library, but
 * no packages, so that a scan depends on nothing that is installed.
 */
import path from 'node:path';
import ts from 'typescript';
import type { Sources } from './scan-types.ts';

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  lib: ['lib.es2023.d.ts'],
  noEmit: true,
  strict: true,
  types: [],
};

/** The library's files are parsed once for all scans. */
const librarySources = new Map<string, ts.SourceFile | undefined>();

/** A program whose files are the sources, each at "/" plus its path. */
export function createProgram(sources: Sources): ts.Program {
  const libraryFolder = path.dirname(ts.getDefaultLibFilePath(compilerOptions));
  const read = (fileName: string) =>
    fileName.startsWith(libraryFolder) ? ts.sys.readFile(fileName) : sources.get(fileName.slice(1));
  const getSourceFile = (fileName: string) => {
    const text = read(fileName);
    return text === undefined ? undefined : ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2023, true);
  };
  const host: ts.CompilerHost = {
    getSourceFile: (fileName) => {
      if (!fileName.startsWith(libraryFolder)) return getSourceFile(fileName);
      if (!librarySources.has(fileName)) librarySources.set(fileName, getSourceFile(fileName));
      return librarySources.get(fileName);
    },
    fileExists: (fileName) => read(fileName) !== undefined,
    readFile: read,
    getDefaultLibFileName: () => ts.getDefaultLibFilePath(compilerOptions),
    getDefaultLibLocation: () => libraryFolder,
    getCurrentDirectory: () => '/',
    getCanonicalFileName: (fileName) => fileName,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    writeFile: () => undefined,
  };
  return ts.createProgram({
    rootNames: [...sources.keys()].map((filePath) => `/${filePath}`),
    options: compilerOptions,
    host,
  });
}
