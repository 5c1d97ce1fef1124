/** An archive that another tool has downloaded. It is used only if it is the pinned one. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { StackError } from './stack-error.ts';

/** The pinned digest, as a package index writes it: hexadecimal or, for npm, base64. */
export interface PinnedDigest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  readonly digest: string;
}

/** The archive to find. */
export interface WantedArchive {
  /** The name in messages. */
  readonly title: string;
  /** The end of its file name. */
  readonly ending: string;
  readonly pinned: PinnedDigest;
  /** The message if there is none. */
  readonly onFailure: string;
}

/**
 * Returns the path of the archive in the folder.
 *
 * @throws StackError if there is none, or another one than the pinned one.
 */
export async function findPinnedArchive(
  folder: string,
  { title, ending, pinned, onFailure }: WantedArchive,
): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith(ending));
  if (name === undefined) throw new StackError(onFailure);
  const archive = path.join(folder, name);
  const { algorithm, encoding } = pinned;
  const digest = createHash(algorithm)
    .update(await readFile(archive))
    .digest(encoding);
  if (digest !== pinned.digest) {
    const found = `${algorithm.replace('sha', 'SHA-')} ${digest}`;
    throw new StackError(`The downloaded ${title} is not the pinned one (${found}), so it is not used.`);
  }
  return archive;
}
