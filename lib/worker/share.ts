/**
 * A worker's share of the outbox: the aggregates whose events it applies. Rendezvous hashing gives
 * each aggregate to one of the live workers. A worker that joins takes over a part of each share,
 * and one that leaves gives its aggregates to the others; no other aggregate moves. So one worker
 * applies all events of an aggregate, and no two workers wait for each other's locks on it.
 *
 * Nothing depends on it that each worker sees the same live workers: two workers may apply the same
 * event, and each looks for events without a worker when one has left.
 *
 * https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { aggregateKey } from '../contract/outbox-event.ts';
import type { Pointer } from '../contract/pointer.ts';

export class Share {
  readonly workerId: string;
  #others: readonly string[] = [];
  readonly #seed: number;
  #otherSeeds: readonly number[] = [];

  constructor(workerId: string = randomUUID()) {
    this.workerId = workerId;
    this.#seed = crc32(workerId);
  }

  /** Number of live workers, this one included. */
  get workers(): number {
    return 1 + this.#others.length;
  }

  /**
   * Adopts the live workers. Returns false if one of those known before is not among them: its
   * aggregates have moved, and their pending events may be in no worker's queue.
   */
  adopt(workerIds: readonly string[]): boolean {
    const others = workerIds.filter((id) => id !== this.workerId);
    const isComplete = this.#others.every((id) => others.includes(id));
    this.#others = others;
    this.#otherSeeds = others.map((id) => crc32(id));
    return isComplete;
  }

  /** Whether this worker applies the aggregate's events. */
  includes(aggregate: Pick<Pointer, 'aggregateType' | 'aggregateId'>): boolean {
    if (this.#otherSeeds.length === 0) return true;
    const hash = crc32(aggregateKey(aggregate));
    const own = score(hash ^ this.#seed);
    return this.#otherSeeds.every((seed) => score(hash ^ seed) <= own);
  }
}

/**
 * Distributes the bits evenly: the finalizer of MurmurHash3.
 *
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
function score(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
