/**
 * XMem's scanned files. One file with everything that its scan found is one aggregate, so a re-scan
 * is one event and one transaction. A re-scan removes what the file no longer contains, and never
 * blanks what other files contain.
 *
 * The file owns its File, its Symbols and their outgoing relationships. It shares directories with
 * the other files in them. Callees, base classes and imported files are endpoints only. Members
 * that are listed twice become one element: see `merge-duplicates.ts`.
 */
import { z } from 'zod';
import { defineAggregate, documentId, relationship } from '../../exports/outgraph.ts';
import {
  type CodeScope,
  codeLabels,
  directoriesOf,
  directoryChain,
  directoryNode,
  fileNode,
  filePath,
  type SymbolName,
  symbolName,
  symbolNode,
} from './code-graph.ts';
import { nameText, optionalBoolean, optionalNumber, optionalText } from './fields.ts';
import { firstDeclaration, firstText, groupByName, mergeCalls } from './merge-duplicates.ts';

const declaredSymbol = z.object({
  symbol_name: nameText,
  symbol_type: optionalText,
  summary: optionalText,
  signature: optionalText,
  docstring: optionalText,
  start_line: optionalNumber,
  end_line: optionalNumber,
  line_count: optionalNumber,
  parent_class: optionalText,
  is_public: optionalBoolean,
  is_entrypoint: optionalBoolean,
  complexity_bucket: optionalText,
  language: optionalText,
  content_hash: optionalText,
  signature_hash: optionalText,
});

/** A reference from a symbol of this file to a symbol of any file. */
const reference = z.object({ from: nameText, to: symbolName });

const call = reference.extend({ call_count: optionalNumber, is_direct: optionalBoolean });

const codeFileState = z
  .object({
    org_id: nameText,
    repo: nameText,
    file_path: filePath,
    language: optionalText,
    summary: optionalText,
    symbol_count: optionalNumber,
    total_lines: optionalNumber,
    commit_sha: optionalText,
    symbols: z.array(declaredSymbol).nullish(),
    calls: z.array(call).nullish(),
    imports: z.array(z.object({ file_path: filePath, import_type: optionalText })).nullish(),
    inherits: z.array(reference).nullish(),
    implements: z.array(reference).nullish(),
  })
  .superRefine(({ symbols, ...lists }, context) => {
    const declared = new Set(symbols?.map(({ symbol_name }) => symbol_name));
    for (const list of ['calls', 'inherits', 'implements'] as const) {
      for (const [index, { from }] of (lists[list] ?? []).entries()) {
        if (declared.has(from)) continue;
        context.addIssue({ code: 'custom', path: [list, index, 'from'], message: 'must be a symbol of this file' });
      }
    }
  });

type CodeFile = z.infer<typeof codeFileState>;
type Reference = z.infer<typeof reference>;

const { Annotation: _, ...fileLabels } = codeLabels;

/**
 * One scanned file of a repository.
 *
 * @example
 * await trackCollection(client, db, codeFile).insertOne({
 *   org_id: 'acme',
 *   repo: 'shop',
 *   file_path: 'src/cart.ts',
 *   symbols: [{ symbol_name: 'Cart' }],
 *   imports: [{ file_path: 'src/sum.ts' }],
 * });
 */
export const codeFile = defineAggregate({
  type: 'code-file',
  collection: 'code_files',
  id: documentId,
  payload: codeFileState,
  declares: {
    labels: fileLabels,
    types: ['CONTAINS_DIR', 'CONTAINS_FILE', 'DEFINES', 'CALLS', 'IMPORTS', 'INHERITS', 'IMPLEMENTS'],
  },
  project: (file) => {
    const directories = directoriesOf(file.file_path);
    const symbols = symbolNodes(file);
    return {
      nodes: [
        fileNodeOf(file),
        ...directories.map((path) => ({ ...directoryNode(file, path), shared: true })),
        ...symbols,
      ],
      relationships: [
        ...directoryChain(file, directories),
        ...containment(file, directories, symbols),
        ...callsOf(file),
        ...importsOf(file),
        ...referencesOf(file, 'INHERITS', file.inherits),
        ...referencesOf(file, 'IMPLEMENTS', file.implements),
      ],
    };
  },
});

function fileNodeOf(file: CodeFile) {
  const { language, summary, symbol_count, total_lines, commit_sha } = file;
  return {
    ...fileNode(file, file.file_path),
    properties: { language, summary, symbol_count, total_lines, commit_sha },
  };
}

function symbolNodes(file: CodeFile) {
  return groupByName(file.symbols ?? [], ({ symbol_name }) => symbol_name).map((declarations) => {
    const { symbol_name, ...properties } = firstDeclaration(declarations);
    return { ...symbolNode(file, { file_path: file.file_path, symbol_name }), properties };
  });
}

type SymbolNode = ReturnType<typeof symbolNode>;

function containment(file: CodeFile, directories: readonly string[], symbols: readonly SymbolNode[]) {
  const node = fileNode(file, file.file_path);
  const innermost = directories.slice(-1).map((path) => directoryNode(file, path));
  return [
    ...innermost.map((directory) => relationship('CONTAINS_FILE', directory, node)),
    ...symbols.map(({ label, key }) => relationship('DEFINES', node, { label, key })),
  ];
}

function callsOf(file: CodeFile) {
  return groupByName(file.calls ?? [], referenceText).map((calls) =>
    relationship('CALLS', ...endsOf(file, calls[0]), { properties: { ...mergeCalls(calls) } }),
  );
}

function importsOf(file: CodeFile) {
  return groupByName(file.imports ?? [], ({ file_path }) => file_path).map((imports) =>
    relationship('IMPORTS', fileNode(file, file.file_path), fileNode(file, imports[0].file_path), {
      properties: { import_type: firstText(imports.map(({ import_type }) => import_type)) },
    }),
  );
}

function referencesOf<Type extends 'INHERITS' | 'IMPLEMENTS'>(
  file: CodeFile,
  type: Type,
  references: readonly Reference[] | null | undefined,
) {
  return groupByName(references ?? [], referenceText).map(([first]) => relationship(type, ...endsOf(file, first)));
}

function endsOf(file: CodeScope & Pick<SymbolName, 'file_path'>, { from, to }: Reference) {
  return [symbolNode(file, { file_path: file.file_path, symbol_name: from }), symbolNode(file, to)] as const;
}

function referenceText({ from, to }: Reference): string {
  return JSON.stringify([from, to.file_path, to.symbol_name]);
}
