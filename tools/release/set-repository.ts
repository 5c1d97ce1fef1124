/**
 * `npm run set-repository -- github.com/<owner>/<name>`: sets the address of the repository, which a
 * fork does once, before its first release. It is the path of the Go modules, and npm compares it
 * with the repository that a package was built in. Needs Go, which sorts the imports.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../local/paths.ts';

const modules = ['writers/go', 'xmem/go'] as const;

/** The address that the Go modules have now. */
export function readRepository(root: string): string {
  const found = /^module (.+)\/writers\/go$/m.exec(readFileSync(path.join(root, 'writers/go/go.mod'), 'utf8'));
  if (found?.[1] === undefined) throw new Error('writers/go/go.mod has no module path that ends with /writers/go.');
  return found[1];
}

/** @throws Error if the address is not of GitHub, or Go fails. */
export function setRepository(root: string, repository: string): void {
  if (!/^github\.com\/[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error(`The repository must be github.com/<owner>/<name>, and is ${repository}.`);
  const before = readRepository(root);
  for (const module of modules) {
    const folder = path.join(root, module);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => /\.(?:go|mod|md)$/.test(one))) {
      const file = path.join(folder, name);
      const text = readFileSync(file, 'utf8');
      writeFileSync(
        file,
        modules.reduce((now, one) => now.replaceAll(`${before}/${one}`, `${repository}/${one}`), text),
      );
    }
    execFileSync('gofmt', ['-w', '.'], { cwd: folder });
    execFileSync('go', ['mod', 'tidy'], { cwd: folder, stdio: 'pipe' });
  }
  const url = `git+https://${repository}.git`;
  setInManifest(path.join(root, 'package.json'), { type: 'git', url });
  const directory = 'writers/typescript';
  setInManifest(path.join(root, directory, 'package.json'), { type: 'git', url, directory });
}

function setInManifest(manifest: string, repository: Readonly<Record<string, string>>): void {
  const content = { ...JSON.parse(readFileSync(manifest, 'utf8')), repository };
  writeFileSync(manifest, `${JSON.stringify(content, null, 2)}\n`);
}

if (import.meta.main) setRepository(projectRoot, process.argv[2] ?? '');
