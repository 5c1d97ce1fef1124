/** The Go toolchain, for the writer library in Go. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../tools/local/paths.ts';
import { runTool } from './run-tool.ts';

/** The library. */
const library = path.join(projectRoot, 'writers/go');

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

/** Runs a command in the library's folder, and returns what it printed. @throws Error with all that it printed, if it failed. */
export function runInLibrary(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return runTool({ command, args, cwd: library, env });
}
