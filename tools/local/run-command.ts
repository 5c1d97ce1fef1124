/** Runs a command to its end. Its output goes to a log, whose end is shown if it fails. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { lastLines } from './children.ts';
import { type LoggedCommand, spawnToLog } from './spawn-to-log.ts';
import { StackError } from './stack-error.ts';

export interface Command extends LoggedCommand {
  /** The start of the error's message if it fails: what the user should know or do. */
  readonly onFailure: string;
  readonly signal?: AbortSignal;
}

/**
 * Resolves once the command has succeeded.
 *
 * @throws StackError with the end of its output.
 */
export async function runCommand(given: Command): Promise<void> {
  const { logFile, onFailure, signal } = given;
  mkdirSync(path.dirname(logFile), { recursive: true });
  const child = spawnToLog(given);
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
