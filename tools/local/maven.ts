/** Downloads Java programs with Maven, which checks every file's checksum. */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { requireMaven } from './prerequisites.ts';
import { runCommand } from './run-command.ts';

export interface Jars {
  /** A `pom.xml` whose dependencies are the program. */
  readonly pom: string;
  /** The properties of the `pom.xml` that it does not set, such as `neo4j.version`. */
  readonly properties: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly logFile: string;
  /** The start of the error's message. */
  readonly onFailure: string;
  readonly signal: AbortSignal;
}

/**
 * Downloads the dependencies of a `pom.xml`, with all that they depend on. Returns the folder of the
 * jars.
 *
 * @throws StackError
 */
export async function downloadJars(jars: Jars): Promise<string> {
  const { pom, properties, folder, logFile, onFailure, signal } = jars;
  requireMaven();
  const copy = path.join(folder, 'pom.xml');
  await copyFile(pom, copy);
  const lib = path.join(folder, 'lib');
  await runCommand({
    command: 'mvn',
    args: [
      ...['--batch-mode', '--quiet', '--strict-checksums', '-f', copy, 'dependency:copy-dependencies'],
      `-DoutputDirectory=${lib}`,
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ],
    cwd: folder,
    logFile,
    onFailure,
    signal,
  });
  return lib;
}
