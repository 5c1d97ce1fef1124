/**
 * Joins publisher, consumer and sweep to one resident process: the same flows as the functions, with a queue in memory
 * between them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { joinConsumer, noQueue } from '../consumer/wiring.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { joinPublisher } from '../publisher/wiring.ts';
import type { WorkerSettings } from '../runtime/settings.ts';
import { joinSweep } from '../sweep/wiring.ts';
import type { WorkerLog } from './log.ts';
import { MemoryQueue } from './memory-queue.ts';
import { Work, type WorkHealth } from './work.ts';

/** A worker that runs. */
export interface Worker {
  readonly health: () => WorkHealth;
  /** Finishes the batches that are being applied, gives the lease back, and closes every connection. */
  readonly stop: () => Promise<void>;
}

/** As much time as a batch may take. */
const batchMillis = 60_000;

/**
 * Starts a worker: it tails the outbox, applies in batches straight to Neo4j, acknowledges, and sweeps. Several may run
 * at once: one tails, the others stand by and take over when its lease ends.
 *
 * @example
 * const worker = startWorker(readSettings(workerSettings, process.env), createCatalog([person]), log);
 * process.once('SIGTERM', () => worker.stop());
 */
export function startWorker(settings: WorkerSettings, catalog: AggregateCatalog, log: WorkerLog): Worker {
  const queue = new MemoryQueue();
  const stopped = new AbortController();
  const send = async (pointers: Parameters<MemoryQueue['send']>[0]) => {
    await queue.send(pointers);
    return [];
  };
  const publisher = joinPublisher(settings, {
    send,
    markRedelivered: (pointers) => queue.markRedelivered(pointers),
    close: () => undefined,
    checkpointId: 'worker/0',
    // What the queue holds ends with the process.
    durable: false,
  });
  // The driver's own waits grow to many seconds; the worker's stay short, so that it is back soon after Neo4j is.
  const consumer = joinConsumer(settings, catalog, noQueue, { retrySeconds: 0 });
  const sweeper = joinSweep(settings, {
    sendToQueue: (pointers) => queue.offer(pointers),
    countBacklog: async () => queue.inFlight,
    isWaiting: (eventId) => queue.has(eventId),
    close: () => undefined,
  });
  const work = new Work(
    {
      publish: (remainingMillis) => publisher.publish(remainingMillis, log),
      consume: (messages) => {
        const endsAt = Date.now() + batchMillis;
        return consumer.consume(messages, () => endsAt - Date.now(), log);
      },
      sweep: (remainingMillis) => sweeper.sweep(remainingMillis, undefined, log),
      queue,
      sleep: (millis) => sleep(millis, undefined, { signal: stopped.signal }).catch(() => undefined),
      now: Date.now,
      log,
    },
    {
      consumers: settings.WORKER_CONSUMERS,
      batchSize: settings.WORKER_BATCH_SIZE,
      sweepSeconds: settings.WORKER_SWEEP_SECONDS,
    },
  );
  const running = work.run();
  return {
    health: () => work.health(),
    stop: async () => {
      work.stop();
      stopped.abort();
      await running;
      await Promise.all([publisher.close(), consumer.close(), sweeper.close()]);
    },
  };
}
