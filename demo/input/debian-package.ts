/**
 * A Debian package as test input. The machine's apt fetches it from its configured archive. It is
 * verified and kept with the other downloads. Nothing is installed on the machine.
 */
import { rm } from 'node:fs/promises';
import { install } from '../../tools/local/install.ts';
import { findPinnedArchive } from '../../tools/local/pinned-archive.ts';
import type { RunStep } from '../../tools/local/progress.ts';
import { runCommand } from '../../tools/local/run-command.ts';

/** A pinned version. */
export interface DebianVersion {
  readonly name: string;
  readonly version: string;
  /** The file's SHA-256 in hexadecimal, for amd64. */
  readonly sha256: string;
}

/**
 * The folder with the package's files, laid out as below "/". Downloads the package if it is not
 * there yet.
 *
 * @throws StackError if the download fails, or is not the pinned version.
 */
export async function installDebianPackage(wanted: DebianVersion, step: RunStep, signal: AbortSignal): Promise<string> {
  const title = `${wanted.name} ${wanted.version}`;
  return install(
    {
      name: `debian-${wanted.name}-${wanted.version}`,
      title: `Downloading ${title} from Debian`,
      fill: (target, log) => fill(wanted, title, target, log, signal),
    },
    step,
  );
}

async function fill(
  { name, version, sha256 }: DebianVersion,
  title: string,
  folder: string,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const onFailure =
    `The download of ${title} failed: it needs Debian 12 on amd64 with "apt-get" and an up-to-date list of packages ` +
    '(run "apt-get update"). The other inputs do not need it: omit "--input calendars".';
  const run = (command: string, args: readonly string[]) =>
    runCommand({ command, args, cwd: folder, logFile, onFailure, signal });
  // Run as the current user: apt's own user may not write into this folder.
  await run('apt-get', ['download', '-o', 'APT::Sandbox::User=', `${name}:amd64=${version}`]);
  const pinned = { algorithm: 'sha256', encoding: 'hex', digest: sha256 } as const;
  const archive = await findPinnedArchive(folder, { title, ending: '.deb', pinned, onFailure });
  await run('dpkg-deb', ['--extract', archive, folder]);
  await rm(archive);
}
