/** How a run of an npm script ends, whichever process gets the signal. Uses real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';
import { isAlive } from '../../../tools/local/paths.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';

const root = path.join(import.meta.dirname, '../../..');
const script = [path.join(root, 'tools/local/bootstrap.mjs'), 'test/support/endless-run.ts'];

async function started(child: ChildProcess): Promise<{ readonly run: number; readonly server: number }> {
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return JSON.parse(line.toString());
}

const gone = (...pids: readonly number[]) =>
  waitUntil(async () => !pids.some(isAlive) || undefined, { timeoutSeconds: 15, pollMillis: 50, what: 'the end' });

it('SIGTERM ends a run and its servers within seconds, with exit code 143 and no stack trace', async () => {
  const child = spawn(process.execPath, script, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const { run, server } = await started(child);
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  expect((await closed)[0]).toBe(143);
  expect(stderr).toBe('\nEnding what was started …\n');
  await gone(run, server);
});

it('a run ends if its npm is ended by SIGTERM, and leaves nothing running', async () => {
  // As with npm: a shell runs the script, ends with npm, and forwards no signal.
  const command = `"${process.execPath}" ${script.join(' ')}; exit $?`;
  const env = { ...process.env, npm_lifecycle_event: 'stack' };
  const shell = spawn('sh', ['-c', command], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const { run, server } = await started(shell);
  shell.kill('SIGTERM');
  await once(shell, 'exit');
  await gone(run, server);
});
