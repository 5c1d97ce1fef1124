/**
 * The scanned code: the TypeScript sources inside five published versions of the npm package
 * `mongodb`, MongoDB's driver for Node.js, as five states of one repository. Licence Apache-2.0.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunStep } from '../../../tools/local/progress.ts';
import { installNpmPackage, type NpmVersion } from '../npm-package.ts';
import type { Sources } from './scan-types.ts';

/** In the order in which they are scanned. */
export const codeVersions: readonly NpmVersion[] = [
  ['6.9.0', 'UMopBVx1LmEUbW/QE0Hw18u583PEDVQmUmVzzBRH0o/xtE9DBRA5ZYLOjpLIa03i8FXjzvQECJcqoMvCXftTUA=='],
  ['6.10.0', 'gP9vduuYWb9ZkDM546M+MP2qKVk5ZG2wPF63OvSRuUbqCR+11ZCAE1mOfllhlAG0wcoJY5yDL/rV3OmYEwXIzg=='],
  ['6.12.0', 'RM7AHlvYfS7jv7+BXund/kR64DryVI+cHbVAy9P61fnb1RcWZqOW1/Wj2YhqMCx+MuYhqTRGv7AwHBzmsCKBfA=='],
  ['7.0.0', 'vG/A5cQrvGGvZm2mTnCSz1LUcbOPl83hfB6bxULKQ8oFZauyox/2xbZOoGNl+64m8VBrETkdGCDBdOsCr3F3jg=='],
  ['7.9.0', 'HfpNb8qmfmNxno+Ml5JgHn/nyshK+8xF4ESLCXedRKuGLGRyAvkjcpjk19T2Q+rqC6/FlnZKll4if21R6xs/Tg=='],
].map(([version = '', sha512 = '']) => ({ name: 'mongodb', version, sha512 }));

/** The sources of a version, by their paths in the package. */
export async function readCodeVersion(version: NpmVersion, step: RunStep, signal: AbortSignal): Promise<Sources> {
  const folder = await installNpmPackage(version, step, signal);
  const files = await readdir(path.join(folder, 'src'), { recursive: true });
  const paths = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`)
    .sort();
  const texts = await Promise.all(paths.map((file) => readFile(path.join(folder, file), 'utf8')));
  return new Map(paths.map((file, index) => [file, texts[index] ?? '']));
}
