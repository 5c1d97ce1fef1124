/**
 * A published version of an npm package as test input. The machine's npm fetches it from its
 * configured registry. It is verified and kept with the other downloads.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { install } from '../../tools/local/install.ts';
import { findPinnedArchive } from '../../tools/local/pinned-archive.ts';
import type { RunStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';

/** A pinned version. */
export interface NpmVersion {
  readonly name: string;
  readonly version: string;
  /** The tarball's SHA-512 in base64, as in the registry and in lock files. */
  readonly sha512: string;
}

/**
 * The folder of the package. Downloads the package if it is not there yet.
 *
 * @throws StackError if the download fails, or is not the pinned version.
 */
export async function installNpmPackage(wanted: NpmVersion, step: RunStep, signal: AbortSignal): Promise<string> {
  const title = `${wanted.name} ${wanted.version}`;
  const folder = await install(
    {
      name: `npm-${wanted.name}-${wanted.version}`,
      title: `Downloading ${title}`,
      fill: (target, log) => fill(wanted, title, target, log, signal),
    },
    step,
  );
  return path.join(folder, 'package');
}

async function fill(
  { name, version, sha512 }: NpmVersion,
  title: string,
  folder: string,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const onFailure = `The download of ${title} failed: npm must reach its registry. To run other inputs, use --input.`;
  const packing = ['pack', `${name}@${version}`, '--loglevel=error', '--ignore-scripts', '--pack-destination', folder];
  await runCommand({ command: 'npm', args: packing, cwd: folder, logFile, onFailure, signal });
  const pinned = { algorithm: 'sha512', encoding: 'base64', digest: sha512 } as const;
  const archive = await findPinnedArchive(folder, { title, ending: '.tgz', pinned, onFailure });
  const unpacking = ['-xzf', archive, '-C', folder];
  await runCommand({
    command: 'tar',
    args: unpacking,
    cwd: folder,
    logFile,
    onFailure: `Unpacking ${title} failed: it needs tar.`,
    signal,
  });
  await rm(archive);
}
