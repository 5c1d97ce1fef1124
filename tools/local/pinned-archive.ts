/** An archive that another tool has downloaded: used only if it is the one that is pinned. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { StackError } from './stack-error.ts';

/** The digest that is pinned: as a package index writes it, in hexadecimal or, for npm, in base64. */
export interface PinnedDigest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  readonly digest: string;
}

/** What is looked for. */
export interface WantedArchive {
  /** For a person. */
  readonly title: string;
  /** How its name ends. */
  readonly ending: string;
  readonly pinned: PinnedDigest;
  /** What to say where there is none. */
  readonly onFailure: string;
}

/** The path of the one archive in the folder. @throws StackError if there is none, or another one than is pinned. */
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
    throw new StackError(`The downloaded ${title} is not the one that is pinned (${found}): it was not used.`);
  }
  return archive;
}
