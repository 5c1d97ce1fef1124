/**
 * When the first step of every npm script installs the packages: on a small sample project, with an
 * npm that only reports that it was called.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

const bootstrap = path.join(import.meta.dirname, '../../../tools/local/bootstrap.mjs');
const lock = {
  '': { name: 'project' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};
type Packages = Readonly<Record<string, object>>;

/**
 * Whether npm was called. `installed` is npm's record of what `npm ci` has installed, null if it
 * was never run.
 */
function installs(installed: Packages | null, { hasPinnedNode = true } = {}): boolean {
  const root = mkdtempSync(path.join(tmpdir(), 'outgraph-bootstrap-'));
  const file = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  try {
    file('package-lock.json', JSON.stringify({ packages: lock }));
    if (installed !== null) file('node_modules/.package-lock.json', JSON.stringify({ packages: installed }));
    file('node_modules/.bin/x', '');
    if (hasPinnedNode) symlinkSync(process.execPath, path.join(root, 'node_modules/.bin/node'));
    file('script.mjs', 'console.log("The script runs.");');
    file('bin/npm', '#!/bin/sh\necho "npm was called"\n');
    chmodSync(path.join(root, 'bin/npm'), 0o755);
    mkdirSync(path.join(root, 'tools/local'), { recursive: true });
    cpSync(bootstrap, path.join(root, 'tools/local/bootstrap.mjs'));
    const env = { PATH: `${path.join(root, 'bin')}:${process.env.PATH}` };
    const args = [path.join(root, 'tools/local/bootstrap.mjs'), 'script.mjs'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect(stdout).toBe('The script runs.\n');
    return stderr.includes('npm was called');
  } finally {
    rmSync(root, { recursive: true });
  }
}

const { '': _, 'node_modules/other-platform': __, ...here } = lock;

it.each<readonly [string, Packages | null, boolean]>([
  ['installs nothing after npm ci', here, false],
  ['installs nothing if there are unneeded packages', { ...here, 'node_modules/old': {} }, false],
  ['installs if nothing was installed', null, true],
  ['installs if a package is missing', {}, true],
  ['installs if a package has another version', { 'node_modules/a': { version: '0.9.0' } }, true],
])('%s', (_name, installed, expected) => {
  expect(installs(installed)).toBe(expected);
});

it("runs the script with the machine's Node if there is no pinned one for it", () => {
  expect(installs(here, { hasPinnedNode: false })).toBe(false);
});
