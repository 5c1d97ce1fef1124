/**
 * Spawns a process whose output is appended to a file, in its own process group, so that its
 * children can be stopped with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface LoggedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** Returns the spawned process, without a `pid` if the command is missing or not executable. */
export function spawnToLog({ command, args, cwd, env, logFile }: LoggedCommand): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    return spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}
