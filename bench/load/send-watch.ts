/**
 * How long events wait for their send, told from outside: everything up to the publisher's checkpoint is sent, so the
 * oldest pending event behind it has been waiting since it was written. A resume token begins with the time that it
 * stands at.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Db, type Document, Timestamp } from 'mongodb';
import { withoutCanaries } from '../../demo/outbox-figures.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';

const lookMillis = 100;

interface PublisherCheckpoint {
  readonly _id: string;
  readonly resumeToken: { readonly _data?: unknown } | null;
}

export class SendWatch {
  readonly #checkpoints: Collection<PublisherCheckpoint>;
  readonly #outbox: Collection<Document>;
  readonly #looking: Promise<void>;
  #longest: number | null = null;
  #over = false;

  constructor(db: Db) {
    this.#checkpoints = db.collection<PublisherCheckpoint>(checkpointCollection);
    this.#outbox = db.collection(outboxCollection);
    this.#looking = this.#look();
  }

  /** Ends the watch, and returns the longest wait that was seen, in milliseconds; null if it could not be told. */
  async end(): Promise<number | null> {
    this.#over = true;
    await this.#looking;
    return this.#longest;
  }

  async #look(): Promise<void> {
    while (!this.#over) {
      // A look that fails tells nothing; the next one may.
      const wait = await this.#wait().catch(() => null);
      if (wait !== null) this.#longest = Math.max(this.#longest ?? 0, wait);
      await sleep(lookMillis);
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

/** The type of a timestamp in the server's sortable form, then its seconds and its increment, in hexadecimal digits. */
const beginsWithTime = /^82([0-9A-F]{8})([0-9A-F]{8})/i;

function timeOf(token: unknown): Timestamp | null {
  const [, seconds, increment] = beginsWithTime.exec(String(token)) ?? [];
  if (seconds === undefined || increment === undefined) return null;
  return new Timestamp({ t: Number.parseInt(seconds, 16), i: Number.parseInt(increment, 16) });
}
