/** Where things are: everything that the local stack downloads or writes lies in `.outgraph/`, in the project's root. */
import path from 'node:path';

/** The project's root. */
export const projectRoot = path.resolve(import.meta.dirname, '../..');

/** Everything of the local stack; ignored by git, and safe to remove while nothing runs. */
export const stackFolder = path.join(projectRoot, '.outgraph');

/** Pinned downloads, reused by every start. */
export const downloadsFolder = path.join(stackFolder, 'downloads');

/** Data and logs of one run, by the process id of who started it. */
export function runFolder(): string {
  return path.join(stackFolder, 'run', String(process.pid));
}

/** What `npm run stack` writes when it is ready. */
export const stackDescriptionFile = path.join(stackFolder, 'stack.json');
