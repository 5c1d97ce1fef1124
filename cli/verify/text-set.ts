/**
 * A multiset of strings that uses eight bytes per addition, for the listed elements of a graph with
 * millions of them. It stores hashes, so two strings in 10¹⁹ may collide. Every deletion is checked
 * again before it is made.
 */
import { hash } from 'node:crypto';

export class TextSet {
  /** Sorted, up to `#count`. */
  #hashes = new BigUint64Array(1_024);
  #count = 0;
  /** Additions since the last sort. With them, the set can be read between any two additions. */
  readonly #recent = new Map<bigint, number>();
  #recentCount = 0;

  add(text: string): void {
    const added = hashOf(text);
    this.#recent.set(added, (this.#recent.get(added) ?? 0) + 1);
    this.#recentCount += 1;
    if (this.#recentCount >= maxRecent) this.#sortIn();
  }

  has(text: string): boolean {
    return this.count(text) > 0;
  }

  /** How often the string was added. */
  count(text: string): number {
    const wanted = hashOf(text);
    const first = this.#firstNotBelow(wanted);
    const isThere = first < this.#count && this.#hashes[first] === wanted;
    return (isThere ? this.#firstNotBelow(wanted + 1n) - first : 0) + (this.#recent.get(wanted) ?? 0);
  }

  #firstNotBelow(wanted: bigint): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#hashes[middle] as bigint) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sortIn(): void {
    const needed = this.#count + this.#recentCount;
    if (needed > this.#hashes.length) {
      const larger = new BigUint64Array(Math.max(needed, this.#hashes.length * 2));
      larger.set(this.#hashes.subarray(0, this.#count));
      this.#hashes = larger;
    }
    for (const [added, times] of this.#recent) {
      this.#hashes.fill(added, this.#count, this.#count + times);
      this.#count += times;
    }
    this.#hashes.subarray(0, this.#count).sort();
    this.#recent.clear();
    this.#recentCount = 0;
  }
}

/** They take a few megabytes until they are sorted in. */
const maxRecent = 50_000;

/** The first 64 bits of SHA-256. */
function hashOf(text: string): bigint {
  return hash('sha256', text, 'buffer').readBigUInt64LE(0);
}
