/**
 * Measures from outside how long events wait to be sent. Everything up to the publisher's
 * checkpoint is sent. So the oldest pending event after it has been waiting since it was written. A
 * resume token starts with its own time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Db, type Document, Timestamp } from 'mongodb';
import { withoutCanaries } from '../../demo/outbox-figures.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';

const pollMillis = 100;

interface PublisherCheckpoint {
  readonly _id: string;
  readonly resumeToken: { readonly _data?: unknown } | null;
}

export class SendWatch {
  readonly #checkpoints: Collection<PublisherCheckpoint>;
  readonly #outbox: Collection<Document>;
  readonly #polling: Promise<void>;
  #longest: number | null = null;
  #hasEnded = false;

  constructor(db: Db) {
    this.#checkpoints = db.collection<PublisherCheckpoint>(checkpointCollection);
    this.#outbox = db.collection(outboxCollection);
    this.#polling = this.#poll();
  }

  /**
   * Ends the watch, and returns the longest observed wait in milliseconds; null if none could be
   * observed.
   */
  async end(): Promise<number | null> {
    this.#hasEnded = true;
    await this.#polling;
    return this.#longest;
  }

  async #poll(): Promise<void> {
    while (!this.#hasEnded) {
      // A failed poll shows nothing. The next one may succeed.
      const wait = await this.#wait().catch(() => null);
      if (wait !== null) this.#longest = Math.max(this.#longest ?? 0, wait);
      await sleep(pollMillis);
    }
  }

  async #wait(): Promise<number | null> {
    const checkpoint = await this.#checkpoints.findOne({ _id: 'publisher/0' }, { projection: { resumeToken: 1 } });
    const sentUntil = timeOf(checkpoint?.resumeToken?._data);
    if (sentUntil === null) return null;
    const waiting = await this.#outbox.findOne(
      { ...withoutCanaries, status: 'pending', position: { $gt: sentUntil } },
      { sort: { position: 1 }, projection: { createdAt: 1 }, hint: 'outgraph_pending' },
    );
    return waiting === null ? 0 : Date.now() - (waiting.createdAt as Date).getTime();
  }
}

/**
 * The type of a timestamp in the server's sortable form, then its seconds and its increment, in
 * hexadecimal digits.
 */
const startsWithTime = /^82([0-9A-F]{8})([0-9A-F]{8})/i;

function timeOf(token: unknown): Timestamp | null {
  const [, seconds, increment] = startsWithTime.exec(String(token)) ?? [];
  if (seconds === undefined || increment === undefined) return null;
  return new Timestamp({ t: Number.parseInt(seconds, 16), i: Number.parseInt(increment, 16) });
}
