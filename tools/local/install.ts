/**
 * One pinned download. It is made in a temporary folder that gets its final name only when it is
 * complete, so it exists completely or not at all.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { downloadsFolder } from './paths.ts';
import type { RunStep } from './progress.ts';

export interface Installation {
  /** The folder's name. It contains the version, so that a new version has a new folder. */
  readonly name: string;
  readonly title: string;
  /** Fills the folder. */
  readonly fill: (folder: string, logFile: string) => Promise<void>;
}

/** Returns the folder of the installation. Fills it first if it does not exist yet. */
export async function install({ name, title, fill }: Installation, step: RunStep): Promise<string> {
  const folder = path.join(downloadsFolder, name);
  if (existsSync(folder)) return folder;
  await step(title, async () => {
    const partial = `${folder}.partial-${process.pid}`;
    await mkdir(partial, { recursive: true });
    try {
      await fill(partial, path.join(downloadsFolder, `${name}.log`));
      await rename(partial, folder);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      // Another run was faster.
      if (!existsSync(folder)) throw error;
    }
  });
  return folder;
}
