/**
 * What the Python packages are checked with: a virtual environment of the writer's pinned packages, made once, and each
 * tool's run in it. The packages themselves are not installed in it: their tools find them, and each other, as sources.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { install } from '../../tools/local/install.ts';
import { projectRoot, stackFolder } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';
import { runTool } from './run-tool.ts';

/** The library, which names what all of them are checked with. */
const library = path.join(projectRoot, 'writers/python');

/** Runs a module of Python in a package's folder, and returns what it printed. */
export type RunPython = (module: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;

/** A Python that has the packages. */
export interface PythonEnvironment {
  readonly executable: string;
  /** What runs modules in a folder of the project. @throws Error with all that a module printed, if it failed. */
  readonly runsIn: (folder: string) => RunPython;
}

/**
 * Makes the virtual environment with this Python, if it is not there yet.
 *
 * @throws StackError if the packages cannot be had.
 */
export async function installPython(python: string): Promise<PythonEnvironment> {
  const requirements = path.join(library, 'requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = await install(
    {
      name: `python-writer-${digest}`,
      title: 'Installing what the Python writer is checked with (50 MB)',
      fill: async (target, logFile) => {
        const run = (command: string, args: readonly string[]) =>
          runCommand({
            command,
            args: ['-m', ...args],
            cwd: target,
            logFile,
            onFailure:
              'The packages for the Python writer could not be installed: the Python package index must be reachable.',
          });
        await run(python, ['venv', target]);
        const options = ['--disable-pip-version-check', '--no-deps', '--require-hashes', '-r', requirements];
        await run(path.join(target, 'bin/python'), ['pip', 'install', ...options]);
      },
    },
    printStep,
  );
  const executable = path.join(folder, 'bin/python');
  return {
    executable,
    runsIn: (packageFolder) => {
      const caches = path.join(stackFolder, 'python-writer', packageFolder);
      const cacheVariables = {
        PYTHONPYCACHEPREFIX: path.join(caches, 'bytecode'),
        RUFF_CACHE_DIR: path.join(caches, 'ruff'),
        MYPY_CACHE_DIR: path.join(caches, 'mypy'),
      };
      const cwd = path.join(projectRoot, packageFolder);
      return (module, args, env = {}) =>
        runTool({ command: executable, args: ['-m', module, ...args], cwd, env: { ...cacheVariables, ...env } });
    },
  };
}
