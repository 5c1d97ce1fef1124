/** Tools from the Python package index, in a virtual environment that is created once. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { install } from '../../tools/local/install.ts';
import { printStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';

export interface PythonTools {
  /** The environment's name, without the digest of its packages. */
  readonly name: string;
  /** Continues the sentence "Installing …". */
  readonly title: string;
  /** The file with every package, pinned and with its digests. */
  readonly requirements: string;
}

/**
 * Creates the environment with this Python if it does not exist yet. Returns its folder.
 *
 * @throws StackError if the packages cannot be installed.
 */
export function installPythonTools(python: string, { name, title, requirements }: PythonTools): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  return install(
    {
      name: `${name}-${digest}`,
      title: `Installing ${title}`,
      fill: async (target, logFile) => {
        const run = (command: string, args: readonly string[]) =>
          runCommand({
            command,
            args: ['-m', ...args],
            cwd: target,
            logFile,
            onFailure: `${requirements} could not be installed: the Python package index must be reachable.`,
          });
        await run(python, ['venv', target]);
        const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '-r', requirements];
        await run(path.join(target, 'bin/python'), ['pip', 'install', '--disable-pip-version-check', ...options]);
      },
    },
    printStep,
  );
}
