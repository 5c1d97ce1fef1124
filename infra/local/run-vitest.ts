/** Runs vitest in a process of its own, and leaves a report for programs. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot, stackFolder } from './paths.ts';

export interface VitestRun {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The report's name in `.outgraph/`. */
  readonly report: string;
  readonly signal?: AbortSignal;
}

/** Resolves with vitest's exit code. */
export function runVitest({ args, env, report, signal }: VitestRun): Promise<number> {
  const vitest = path.join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path.join(stackFolder, report)}`];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    signal?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.on('error', reject).on('exit', (code) => resolve(code ?? 1));
  });
}
