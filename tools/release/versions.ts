/**
 * The version of the server and of the three writers: one, in every file that names it.
 *
 * `npm version --no-git-tag-version <version>` sets it in `package.json` and its lock file, and then
 * runs this file, which sets it in the others.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../local/paths.ts';

/** The text before a version, in each file. */
const places: Readonly<Record<string, RegExp>> = {
  'package.json': /"outgraph-writer": "/,
  'package-lock.json': /(?:"outgraph-writer": "|"name": "outgraph-writer",\s+"version": ")/,
  'writers/typescript/package.json': /"version": "/,
  'writers/typescript/README.md': /outgraph-writer-(?=\S+\.tgz)/,
  'writers/python/pyproject.toml': /^version = "/m,
  'xmem/python/pyproject.toml': /(?:^version = "|outgraph-writer==)/m,
  'xmem/go/go.mod': /\/writers\/go v/,
  'writers/go/README.md': /writers\/go\/v/,
  'xmem/go/README.md': /(?:\/go@v|xmem\/go\/v)/,
  'examples/bookshop/package.json': /"outgraph": "\^/,
  'examples/quickstart/package.json': /"outgraph": "\^/,
  'deploy/kubernetes/set-up.yaml': /\/outgraph:/,
  'deploy/kubernetes/worker.yaml': /\/outgraph:/,
  'README.md': /outgraph-(?:writer-)?(?=\S+\.tgz)/,
  'docs/how-to/run-on-your-platform.md': /(?:\/outgraph:|outgraph-(?:writer-)?)/,
  'docs/quickstart.md': /outgraph-(?:writer-)?(?=\S+\.tgz)/,
};

// Without pre-releases: Python, Go and npm write them in three ways.
const version = String.raw`(\d+\.\d+\.\d+)`;

function inText(before: RegExp): RegExp {
  return new RegExp(`(${before.source})${version}`, `g${before.flags}`);
}

/** The versions that each file names, in their order. */
export function readVersions(root: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.entries(places).map(([file, before]) => {
      const found = readFileSync(path.join(root, file), 'utf8').matchAll(inText(before));
      return [file, [...found].map(([, , named = '']) => named)];
    }),
  );
}

/**
 * Sets the version in each file.
 *
 * @throws Error if it is not three numbers.
 */
export function writeVersions(root: string, wanted: string): void {
  if (!new RegExp(`^${version}$`).test(wanted)) throw new Error(`A version is three numbers, and ${wanted} is not.`);
  for (const [file, before] of Object.entries(places)) {
    const name = path.join(root, file);
    writeFileSync(
      name,
      readFileSync(name, 'utf8').replace(inText(before), (_, kept: string) => `${kept}${wanted}`),
    );
  }
}

/** The version in `package.json`. */
export function packageVersion(root: string): string {
  return (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string }).version;
}

if (import.meta.main) writeVersions(projectRoot, packageVersion(projectRoot));
