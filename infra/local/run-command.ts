/** Runs a command to its end; what it prints goes to a log, whose end is shown if it fails. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { lastLines } from './children.ts';
import { StackError } from './stack-error.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** What the user should know or do if it fails; begins the error's message. */
  readonly onFailure: string;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when the command has succeeded.
 *
 * @throws StackError with the end of its output.
 */
export async function runCommand({ command, args, cwd, env, logFile, onFailure, signal }: Command): Promise<void> {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  // In a group of its own, so that its children end with it when the run is broken off.
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const abort = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('exit', resolve);
    });
    if (code !== 0) throw new StackError(`${onFailure}\n${lastLines(logFile)}`);
  } catch (error) {
    if (error instanceof StackError) throw error;
    throw new StackError(`${onFailure} (${error instanceof Error ? error.message : String(error)})`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
