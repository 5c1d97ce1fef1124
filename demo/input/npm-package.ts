/**
 * A published version of an npm package as test input: fetched by the machine's npm from the registry that it is set up
 * for, verified, and kept with the other downloads.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { install } from '../../tools/local/install.ts';
import { findPinnedArchive } from '../../tools/local/pinned-archive.ts';
import type { RunStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';

/** A version that is pinned. */
export interface NpmVersion {
  readonly name: string;
  readonly version: string;
  /** The tarball's SHA-512 in base 64, as the registry and lock files have it. */
  readonly sha512: string;
}

/**
 * The folder that the package lies in, downloaded if it is not there yet.
 *
 * @throws StackError if it cannot be had, or is not the one that is pinned.
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
  const onFailure = `The download of ${title} failed: npm must reach its registry. Inputs are chosen with --input.`;
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
    onFailure: `${title} could not be unpacked: tar is needed.`,
    signal,
  });
  await rm(archive);
}
