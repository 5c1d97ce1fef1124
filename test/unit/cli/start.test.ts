/** How the command starts: its version, its help, and its error with an old Node. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { startOutgraph } from '../../support/run-outgraph.ts';

const root = path.join(import.meta.dirname, '../../..');

it.each([['--version'], ['-V']])('outgraph %s prints the version of the package', async (option) => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  expect(await startOutgraph([option], {}).ended).toStrictEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

it('the help of the worker explains it, with its settings and an example', async () => {
  const { stdout } = await startOutgraph(['worker', '--help'], {}).ended;
  for (const words of ['MONGODB_URI', 'WORKER_CONSUMERS', 'Example:', 'Exit codes:']) expect(stdout).toContain(words);
});

it('a reader that leaves before the end of the output is no error', async () => {
  const child = spawn(process.execPath, ['bin/outgraph.mjs', 'backfill', '--help'], { cwd: root });
  child.stdout.destroy();
  let printed = '';
  child.stderr.on('data', (text) => {
    printed += text;
  });
  expect(await once(child, 'close')).toStrictEqual([0, null]);
  expect(printed).toBe('');
});

it('exits with one sentence that names the required Node if it is too old', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'outgraph-bin-'));
  try {
    // Without the sources, as in an installed package.
    cpSync(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true });
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })";
    const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, path.join(folder, 'bin/outgraph.mjs')];
    const run = await new Promise((resolve) => {
      execFile(process.execPath, [...args, 'dead', 'list'], (error, stdout, stderr) =>
        resolve({ exitCode: error?.code, stdout, stderr }),
      );
    });
    const stderr = 'outgraph needs Node 22 or newer, and this is Node 20.19.0: install a newer Node.\n';
    expect(run).toStrictEqual({ exitCode: 2, stdout: '', stderr });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('no line of any help is longer than 80 columns', async () => {
  const { stdout } = await startOutgraph(['--help'], {}).ended;
  const names = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)[ |]/gm)].map(([, name]) => name ?? '');
  expect(names.length).toBeGreaterThan(10);
  const commands = [[], ...names.map((name) => [name]), ...['list', 'show', 'discard'].map((name) => ['dead', name])];
  for (const command of commands) {
    const help = await startOutgraph([...command, '--help'], {}).ended;
    const long = help.stdout.split('\n').filter((line) => line.length > 80);
    expect({ command, long }).toStrictEqual({ command, long: [] });
  }
});
