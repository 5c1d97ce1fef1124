/**
 * The names of the nodes of XMem's code graph, and the chain of directories from a repository to a
 * file. The aggregates of the code graph (`code-repository`, `code-file`, `code-annotation`) use
 * only these to name each other's nodes.
 */
import { z } from 'zod';
import { endpoint, relationship } from '../../exports/outgraph.ts';
import { nameText } from './fields.ts';

/**
 * The owner of the code. Every node of the code graph except the Repository has both fields in its
 * key.
 */
export interface CodeScope {
  readonly org_id: string;
  readonly repo: string;
}

/** A symbol, by the file that defines it and its qualified name. */
export interface SymbolName {
  readonly file_path: string;
  readonly symbol_name: string;
}

/** A path from the repository's root, such as "src/index.ts". */
export const filePath = nameText.refine((path) => !path.endsWith('/'), 'must be the path of a file');

/** A path such as "src/", or "/" for the root. */
export const directoryPath = z.string().refine((path) => path.endsWith('/'), 'must end with "/"');

export const symbolName = z.object({ file_path: filePath, symbol_name: nameText });

/** The key properties of the code graph's labels. */
export const codeLabels = {
  Repository: ['org_id', 'repo_name'],
  Directory: ['org_id', 'repo', 'dir_path'],
  File: ['org_id', 'repo', 'file_path'],
  Symbol: ['org_id', 'repo', 'file_path', 'symbol_name'],
  Annotation: ['annotation_id'],
} as const;

export function repositoryNode({ org_id, repo }: CodeScope) {
  return endpoint('Repository', { org_id, repo_name: repo });
}

export function directoryNode({ org_id, repo }: CodeScope, dir_path: string) {
  return endpoint('Directory', { org_id, repo, dir_path });
}

export function fileNode({ org_id, repo }: CodeScope, file_path: string) {
  return endpoint('File', { org_id, repo, file_path });
}

export function symbolNode({ org_id, repo }: CodeScope, { file_path, symbol_name }: SymbolName) {
  return endpoint('Symbol', { org_id, repo, file_path, symbol_name });
}

/**
 * The directories of a file, the outermost first: "src/" and "src/a/" for "src/a/b.ts". Only the
 * files of the repository's root are in "/". As in XMem, "/" is a sibling of the top directories
 * below the Repository, not their parent.
 */
export function directoriesOf(path: string): readonly string[] {
  const directories = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
  return directories.length === 0 ? ['/'] : directories;
}

/**
 * The CONTAINS_DIR relationships from the Repository to the last of `directories`. All files below
 * share them.
 */
export function directoryChain(scope: CodeScope, directories: readonly string[]) {
  return directories.map((dir_path, index) => {
    const parent = directories[index - 1];
    const from = parent === undefined ? repositoryNode(scope) : directoryNode(scope, parent);
    return relationship('CONTAINS_DIR', from, directoryNode(scope, dir_path), { shared: true });
  });
}
