/**
 * How the nodes of XMem's code graph are named, and how a file hangs in its repository. The aggregates of the code
 * graph (`code-repository`, `code-file`, `code-annotation`) name each other's nodes by these alone.
 */
import { z } from 'zod';
import type { ProjectedEndpoint, ProjectedRelationship } from '../../exports/outgraph.ts';
import { nameText } from './fields.ts';

/** Whose code it is: every node of the code graph but the Repository carries both in its key. */
export interface CodeScope {
  readonly org_id: string;
  readonly repo: string;
}

/** A symbol, by the file that defines it and its qualified name. */
export interface SymbolName {
  readonly file_path: string;
  readonly symbol_name: string;
}

/** "src/index.ts", from the repository's root. */
export const filePath = nameText.refine((path) => !path.endsWith('/'), 'must be the path of a file');

/** "src/", or "/" for the root. */
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

export function repositoryNode({ org_id, repo }: CodeScope): ProjectedEndpoint {
  return { label: 'Repository', key: { org_id, repo_name: repo } };
}

export function directoryNode({ org_id, repo }: CodeScope, dir_path: string): ProjectedEndpoint {
  return { label: 'Directory', key: { org_id, repo, dir_path } };
}

export function fileNode({ org_id, repo }: CodeScope, file_path: string): ProjectedEndpoint {
  return { label: 'File', key: { org_id, repo, file_path } };
}

export function symbolNode({ org_id, repo }: CodeScope, { file_path, symbol_name }: SymbolName): ProjectedEndpoint {
  return { label: 'Symbol', key: { org_id, repo, file_path, symbol_name } };
}

/**
 * The directories that a file is in, the outermost first: "src/", "src/a/" of "src/a/b.ts". A file of the repository's
 * root is in "/", and only such a file: as XMem has it, "/" stands beside the top directories, below the Repository,
 * and not between them.
 */
export function directoriesOf(path: string): readonly string[] {
  const directories = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
  return directories.length === 0 ? ['/'] : directories;
}

/** The CONTAINS_DIR relationships from the Repository down to the last of `directories`; all files below share them. */
export function directoryChain(scope: CodeScope, directories: readonly string[]): readonly ProjectedRelationship[] {
  return directories.map((dir_path, index) => {
    const parent = directories[index - 1];
    return {
      type: 'CONTAINS_DIR',
      shared: true,
      from: parent === undefined ? repositoryNode(scope) : directoryNode(scope, parent),
      to: directoryNode(scope, dir_path),
    };
  });
}
