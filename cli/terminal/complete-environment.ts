/** Completes a command's environment from `.env` and the config file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import type { Environment } from '../../lib/runtime/settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { readConfig } from './read-config.ts';
import { Exit, type Shell } from './shell.ts';

/** Options of every command. */
export interface FileOptions {
  readonly envFile?: string;
  readonly config?: string;
}

/**
 * Adds what the environment lacks: first from `.env`, then from the config file. A variable that is
 * set always wins, even if it is empty, as with Node's own `--env-file`.
 *
 * @throws Exit with wrong use, after printing which file is missing or wrong.
 */
export async function completeEnvironment(shell: Shell, { envFile, config: named }: FileOptions): Promise<void> {
  const { environment, directory, files } = shell;
  const add = (values: Environment, file: string) => {
    files.names.push(file);
    for (const [name, value] of Object.entries(values)) {
      if (environment[name] !== undefined) continue;
      environment[name] = value;
      files.origins.set(name, file);
    }
  };
  try {
    const variables = readEnvFile(directory, envFile);
    if (variables !== null) add(parseEnv(variables), envFile ?? defaultEnvFile);
    const config = await readConfig(directory, named);
    if (config === null) return;
    add(config.environment, config.file);
    files.catalog = config.catalog;
  } catch (error) {
    shell.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    throw new Exit(exitCodes.wrongUse);
  }
}

const defaultEnvFile = '.env';

/** Null if no file is named and there is no `.env`. */
function readEnvFile(directory: string, named: string | undefined): string | null {
  try {
    return readFileSync(path.resolve(directory, named ?? defaultEnvFile), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : String(error);
    if (named === undefined && code === 'ENOENT') return null;
    throw new Error(
      `${named ?? defaultEnvFile} cannot be read (${code}). Correct --env-file, or the file's permissions.`,
    );
  }
}
