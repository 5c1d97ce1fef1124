/** The Go toolchain, for the writer library in Go and the module built on it. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local/paths.ts';
import { runTool } from '../support/run-tool.ts';

/** The oldest Go with which the driver, and so the library, can be built. */
const oldest = { major: 1, minor: 25 };

/** Whether a Go is installed that can build the library. */
export function hasGo(): boolean {
  const found = /^go(\d+)\.(\d+)/.exec(goVersion());
  if (found === null) return false;
  const [, major, minor] = found.map(Number);
  return major === oldest.major && (minor ?? 0) >= oldest.minor;
}

function goVersion(): string {
  try {
    return execFileSync('go', ['env', 'GOVERSION'], { cwd: projectRoot, encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
}

/** Runs a command in a folder of the project. Returns its output. */
export type RunInModule = (command: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;

/**
 * Returns a function that runs commands in a module's folder.
 *
 * @throws Error with the output of a command that failed.
 */
export function runsIn(folder: string): RunInModule {
  return (command, args, env = {}) => runTool({ command, args, cwd: path.join(projectRoot, folder), env });
}
