/**
 * Paths: everything that the local stack downloads or writes is in `.outgraph/` in the project's
 * root.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** The project's root. */
export const projectRoot = path.resolve(import.meta.dirname, '../..');

/** The folder of the local stack. It is ignored by git, and safe to remove while nothing runs. */
export const stackFolder = path.join(projectRoot, '.outgraph');

/** Pinned downloads, reused by every start. */
export const downloadsFolder = path.join(stackFolder, 'downloads');

const runsFolder = path.join(stackFolder, 'run');

/** The folder for data and logs of one run, named by the process id of the run. */
export function runFolder(): string {
  return path.join(runsFolder, String(process.pid));
}

/** Removes the data and logs of runs that were killed before they could do so. */
export async function removeAbandonedRuns(): Promise<void> {
  const pids = await readdir(runsFolder).catch(() => []);
  const abandoned = pids.filter((pid) => !isAlive(Number(pid)));
  await Promise.all(
    abandoned.map((pid) => rm(path.join(runsFolder, pid), { recursive: true, force: true, maxRetries: 3 })),
  );
}

/** Whether a process with this id is running. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The file that `npm run stack` writes once it is ready. */
export const stackDescriptionFile = path.join(stackFolder, 'stack.json');
