/**
 * The tools that check the Python packages: a virtual environment with the writer's pinned
 * packages, created once, and a function that runs each tool in it. The packages themselves are not
 * installed in it: the tools find them, and each other, as sources.
 */
import path from 'node:path';
import { projectRoot, stackFolder } from '../../tools/local/paths.ts';
import { installPythonTools } from '../support/python-tools.ts';
import { runTool } from '../support/run-tool.ts';

/** The library, which pins the tools for all packages. */
const library = path.join(projectRoot, 'writers/python');

/** Runs a Python module in a package's folder. Returns its output. */
export type RunPython = (module: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;

/** A Python with the packages. */
export interface PythonEnvironment {
  readonly executable: string;
  /**
   * Returns a function that runs modules in a folder of the project.
   *
   * @throws Error with the output of a module that failed.
   */
  readonly runsIn: (folder: string) => RunPython;
}

/**
 * Creates the virtual environment with this Python if it does not exist yet.
 *
 * @throws StackError if the packages cannot be installed.
 */
export async function installPython(python: string): Promise<PythonEnvironment> {
  const folder = await installPythonTools(python, {
    name: 'python-writer',
    title: 'the tools that check the Python writer (50 MB)',
    requirements: path.join(library, 'requirements.txt'),
  });
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
