/** A publisher that stops after a given number of events, so that its rate can be measured. */

import { maxPackPointers } from '../lib/contract/pointer.ts';
import { exclusiveLease } from '../lib/publisher/mongodb-lease.ts';
import type { SendPacks } from '../lib/publisher/send-all.ts';
import { joinPublisher, type Publisher } from '../lib/publisher/wiring.ts';
import { publisherSettings, readSettings } from '../lib/runtime/settings.ts';
import { silentLog } from '../test/support/silent-log.ts';
import type { BenchOutbox } from './bench-outbox.ts';
import type { Contender } from './compare.ts';

/**
 * If nothing was sent for this long, there is nothing more to send. Longer than the two seconds
 * after which an idle publisher saves its checkpoint.
 */
const quietMillis = 3_000;

export class CountingPublisher {
  readonly #publisher: Publisher;
  #remaining = 0;
  #lastSent = 0;

  constructor(environment: BenchOutbox['environment'], send: SendPacks) {
    const settings = readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), environment);
    this.#publisher = joinPublisher(settings, {
      send: async (packs) => {
        const refused = await send(packs);
        if (refused.length > 0) throw new Error(`The bus refused ${refused.flat().length} pointers.`);
        this.#remaining -= packs.flat().length;
        this.#lastSent = performance.now();
        return refused;
      },
      pointersPerEntry: maxPackPointers,
      lingerMillis: settings.PUBLISHER_LINGER_MILLIS,
      close: () => undefined,
      lease: exclusiveLease('bench'),
    });
  }

  /** Publishes the existing backlog, so that the checkpoint is at the end of the history. */
  async #publishBacklog(): Promise<void> {
    this.#remaining = 0;
    const startedAt = performance.now();
    this.#lastSent = startedAt;
    const remainingMillis = () => {
      const now = performance.now();
      return now - this.#lastSent < quietMillis ? 60_000 + startedAt - now : 0;
    };
    await this.#publisher.publish(remainingMillis, silentLog);
  }

  /** Publishes `count` new events in each round. */
  contender(name: string, outbox: BenchOutbox, count: number): Contender {
    return {
      name,
      prepare: async (round) => {
        await this.#publishBacklog();
        await outbox.write(`published${round}`, count);
      },
      run: () => this.#publish(count),
    };
  }

  async #publish(count: number): Promise<number> {
    this.#remaining = count;
    await this.#publisher.publish(() => (this.#remaining > 0 ? 60_000 : 0), silentLog);
    return count;
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }
}
