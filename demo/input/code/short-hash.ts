/** Hashes like those of XMem's scanner: they show that a text has changed, and protect nothing. */
import { createHash } from 'node:crypto';

/** The first sixteen characters of a text's SHA-256. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
