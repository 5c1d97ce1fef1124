/**
 * A set of texts that knows how often each was added, in eight bytes for each time: what is listed anywhere, for a graph of millions of elements. It holds hashes, so that two texts in 10¹⁹ may be taken for one; nothing is deleted
 * because of it without being looked at again.
 */
import { hash } from 'node:crypto';

export class TextSet {
  #hashes = new BigUint64Array(1_024);
  #count = 0;
  #sorted = true;

  add(text: string): void {
    if (this.#count === this.#hashes.length) {
      const larger = new BigUint64Array(this.#hashes.length * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count] = hashOf(text);
    this.#count += 1;
    this.#sorted = false;
  }

  has(text: string): boolean {
    return this.count(text) > 0;
  }

  /** How often it was added. */
  count(text: string): number {
    this.#sort();
    const wanted = hashOf(text);
    const first = this.#firstNotBelow(wanted);
    if (this.#hashes[first] !== wanted || first === this.#count) return 0;
    return this.#firstNotBelow(wanted + 1n) - first;
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

  #sort(): void {
    if (this.#sorted) return;
    this.#hashes.subarray(0, this.#count).sort();
    this.#sorted = true;
  }
}

/** The first 64 bits of SHA-256. */
function hashOf(text: string): bigint {
  return hash('sha256', text, 'buffer').readBigUInt64LE(0);
}
