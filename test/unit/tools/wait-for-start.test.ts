import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { dismissWatchdog, startInBackground } from '../../../tools/local/children.ts';
import { StackError } from '../../../tools/local/stack-error.ts';
import { waitForStart } from '../../../tools/local/wait-for-start.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'outgraph-start-'));
afterAll(() => {
  dismissWatchdog();
  rmSync(folder, { recursive: true });
});

function start(script: string) {
  const logFile = path.join(folder, 'server.log');
  const process = startInBackground({ name: 'The server', command: 'sh', args: ['-c', script], cwd: folder, logFile });
  return { process, logFile, pollMillis: 10 };
}

it('waits for a slow server with progress, and fails after the limit with one sentence', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const server = start('echo starting; sleep 60');
    const limits = { limitSeconds: 1, progressSeconds: 0.3 };
    const error = await waitForStart(async () => undefined, { ...server, ...limits }).catch((one) => one);
    expect(error).toBeInstanceOf(StackError);
    expect(error.message).toMatch(/^The server did not answer within 1 seconds: .*\nstarting$/);
    expect(write.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(write.mock.calls[0]?.[0]).toMatch(/^ {2}The server has not answered yet/);
    await server.process.kill();
  } finally {
    write.mockRestore();
  }
});

it('does not wait for a server that exits while it starts', async () => {
  await expect(waitForStart(async () => undefined, start('echo no room; exit 1'))).rejects.toThrow('no room');
});
