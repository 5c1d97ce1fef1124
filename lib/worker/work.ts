/**
 * The worker's flow: publisher, consumers and sweep in one process, connected by a queue in memory.
 * Each part runs repeatedly until the worker is stopped. If a part fails because a server is
 * unavailable, it backs off and retries.
 */
import type { ConsumeReport } from '../consumer/ports.ts';
import type { QueueMessage } from '../consumer/queue-message.ts';
import { Fault } from '../contract/fault.ts';
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

/** The health of a worker. */
export interface WorkHealth {
  /** False if a part has been failing for a minute, or since the worker started. */
  readonly healthy: boolean;
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
  /** The parts that are failing now, and since when in milliseconds since the epoch. */
  readonly failing: Readonly<Partial<Record<WorkPart, number>>>;
}

/** A part that fails for longer than this makes the worker unhealthy. */
const unhealthyMillis = 60_000;

/** How long a failed event is shown; it is retried within a minute. */
const failureShownMillis = 120_000;

/** Back-off of a failed part; doubles with each failure up to the maximum, as Lambda backs off. */
const firstRetryMillis = 100;
const maxRetryMillis = 1_000;

/** The state of one running worker. */
export class Work {
  readonly #ports: WorkPorts;
  readonly #options: WorkOptions;
  readonly #failing = new Map<WorkPart, number>();
  readonly #succeeded = new Set<WorkPart>();
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

  health(): WorkHealth {
    const now = this.#ports.now();
    return {
      healthy: [...this.#failing].every(([part, since]) => this.#succeeded.has(part) && now - since < unhealthyMillis),
      applied: this.#applied,
      dead: this.#dead,
      queued: this.#ports.queue.inFlight,
      lastSettledAt: this.#lastSettledAt,
      failedEvents: this.#failedEvents(now),
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
      const startedAt = this.#ports.now();
      try {
        await once();
        // It may have ended because the worker was stopped, which is not a success.
        if (this.#stopping) return;
        this.#succeeded.add(part);
        retryMillis = firstRetryMillis;
        this.#failing.delete(part);
      } catch (error) {
        // It ran out of time because the worker was stopped.
        if (this.#stopping && error instanceof Fault && error.code === 'time-up') return;
        const failedAt = this.#ports.now();
        // The publisher runs until it is stopped, or fails.
        if (failedAt - startedAt >= unhealthyMillis) this.#succeeded.add(part);
        if (!this.#failing.has(part)) this.#failing.set(part, failedAt);
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
