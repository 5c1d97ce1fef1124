/** The Go toolchain, for the writer library in Go and for what is built on it. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local/paths.ts';
import { runTool } from './run-tool.ts';

/** The oldest Go that the driver, and so the library, can be built with. */
const oldest = { major: 1, minor: 25 };

/** Whether there is a Go that can build the library. */
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

/** Runs a command in a folder of the project, and returns what it printed. */
export type RunInModule = (command: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;

/** What runs commands in a module's folder. @throws Error with all that a command printed, if it failed. */
export function runsIn(folder: string): RunInModule {
  return (command, args, env = {}) => runTool({ command, args, cwd: path.join(projectRoot, folder), env });
}
