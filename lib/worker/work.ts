/**
 * The worker's flow: publisher, consumers and sweep in one process, connected by a queue in memory.
 * Each part runs repeatedly until the worker is stopped. If a part fails because a server is
 * unavailable, it backs off and retries.
 */
import type { ConsumeReport } from '../consumer/ports.ts';
import type { QueueMessage } from '../consumer/queue-message.ts';
import { describeError, Fault } from '../contract/fault.ts';
import type { PublisherRole } from '../publisher/ports.ts';
import type { PublishReport } from '../publisher/publish.ts';
import type { SweepReport } from '../sweep/sweep.ts';
import type { MemoryQueue } from './memory-queue.ts';

/** The wired flows. */
export interface WorkPorts {
  /** Publishes into the queue while time remains. */
  readonly publish: (remainingMillis: () => number) => Promise<PublishReport>;
  readonly consume: (messages: readonly QueueMessage[]) => Promise<ConsumeReport>;
  readonly sweep: (remainingMillis: () => number) => Promise<SweepReport>;
  readonly queue: MemoryQueue;
  /** Waits, but not after the worker is stopped. */
  readonly sleep: (millis: number) => Promise<void>;
  readonly now: () => number;
  readonly log: WorkLog;
}

export type WorkPart = 'publisher' | 'consumer' | 'sweep';

export interface WorkLog {
  /** A part failed and will be retried after `retryMillis`. */
  readonly failed: (part: WorkPart, error: unknown, retryMillis: number) => void;
}

export interface WorkOptions {
  readonly consumers: number;
  readonly batchSize: number;
  readonly sweepSeconds: number;
}

/** The state of a worker. */
export interface WorkHealth {
  readonly applied: number;
  readonly dead: number;
  readonly queued: number;
  /** Milliseconds since the epoch; null before the first batch. */
  readonly lastSettledAt: number | null;
  /**
   * Events that failed on their own within the last two minutes, and the reason of the last one,
   * for example a foreign lock. Null if there are none.
   */
  readonly failedEvents: { readonly count: number; readonly reason: string } | null;
  /**
   * `tail`: it tails the outbox and applies its share; `standby`: it waits for a worker of an older
   * version that holds the lease alone. Null while it has not seen the lease yet, or fails.
   */
  readonly publisher: PublisherRole | null;
  /** Number of workers that share the outbox, this one included; 0 unless it tails. */
  readonly workers: number;
  /** The parts that are failing now, why, and since when in milliseconds since the epoch. */
  readonly failing: Readonly<Partial<Record<WorkPart, PartFailure>>>;
}

export interface PartFailure {
  readonly since: number;
  readonly reason: string;
}

/** How long a failed event is shown; it is retried within a minute. */
const failureShownMillis = 120_000;

/** Back-off of a failed part; doubles with each failure up to the maximum, as Lambda backs off. */
const firstRetryMillis = 100;
const maxRetryMillis = 1_000;

/** The state of one running worker. */
export class Work {
  readonly #ports: WorkPorts;
  readonly #options: WorkOptions;
  readonly #failing = new Map<WorkPart, PartFailure>();
  #publisher: PublisherRole | null = null;
  #workers = 0;
  #applied = 0;
  #dead = 0;
  #lastSettledAt: number | null = null;
  #failure: { readonly count: number; readonly reason: string; readonly at: number } | null = null;
  #stopping = false;

  constructor(ports: WorkPorts, options: WorkOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Runs until `stop`; resolves when all parts have finished their work in progress. */
  async run(): Promise<void> {
    const { consumers } = this.#options;
    await Promise.all([
      this.#repeat('publisher', () => this.#ports.publish(this.#remainingMillis)),
      ...Array.from({ length: consumers }, () => this.#repeat('consumer', () => this.#consumeOne())),
      this.#repeat('sweep', () => this.#sweepOnce()),
    ]);
  }

  /** Starts nothing new. Queued events stay pending in MongoDB, for the next process. */
  stop(): void {
    this.#stopping = true;
    this.#ports.queue.close();
  }

  /** The publisher runs until it is stopped, so it reports itself that it works. */
  publisherWorks(role: PublisherRole, workers: number): void {
    this.#publisher = role;
    this.#workers = workers;
    this.#failing.delete('publisher');
  }

  health(): WorkHealth {
    const now = this.#ports.now();
    return {
      applied: this.#applied,
      dead: this.#dead,
      queued: this.#ports.queue.inFlight,
      lastSettledAt: this.#lastSettledAt,
      failedEvents: this.#failedEvents(now),
      publisher: this.#publisher,
      workers: this.#publisher === 'tail' ? this.#workers : 0,
      failing: Object.fromEntries(this.#failing),
    };
  }

  #failedEvents(now: number): WorkHealth['failedEvents'] {
    if (this.#failure === null || now - this.#failure.at > failureShownMillis) return null;
    const { count, reason } = this.#failure;
    return { count, reason };
  }

  /** Practically unlimited, but decreases in real time: the flows measure intervals with it. */
  readonly #remainingMillis = () => (this.#stopping ? 0 : Number.MAX_SAFE_INTEGER - this.#ports.now());

  async #repeat(part: WorkPart, once: () => Promise<unknown>): Promise<void> {
    let retryMillis = firstRetryMillis;
    while (!this.#stopping) {
      try {
        await once();
        // It may have ended because the worker was stopped, which is not a success.
        if (this.#stopping) return;
        retryMillis = firstRetryMillis;
        this.#failing.delete(part);
      } catch (error) {
        // It ran out of time because the worker was stopped.
        if (this.#stopping && error instanceof Fault && error.code === 'time-up') return;
        const since = this.#failing.get(part)?.since ?? this.#ports.now();
        this.#failing.set(part, { since, reason: describeError(error).reason });
        if (part === 'publisher') this.#publisher = null;
        this.#ports.log.failed(part, error, retryMillis);
        await this.#ports.sleep(retryMillis);
        retryMillis = Math.min(2 * retryMillis, maxRetryMillis);
      }
    }
  }

  async #consumeOne(): Promise<void> {
    const { queue, consume } = this.#ports;
    const messages = await queue.receive(this.#options.batchSize);
    if (messages.length === 0) return;
    try {
      const report = await consume(messages);
      queue.finish(messages, report.failedMessageIds);
      this.#applied += report.applied;
      this.#dead += report.dead;
      const now = this.#ports.now();
      this.#lastSettledAt = now;
      if (report.lastFailure !== null)
        this.#failure = { count: report.failed, reason: report.lastFailure.message, at: now };
    } catch (error) {
      queue.retryNow(messages);
      throw error;
    }
  }

  async #sweepOnce(): Promise<void> {
    await this.#ports.sleep(this.#options.sweepSeconds * 1000);
    if (!this.#stopping) await this.#ports.sweep(this.#remainingMillis);
  }
}
