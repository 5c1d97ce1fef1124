/**
 * Runs publisher, consumer and sweep in one resident process: the same flows as the functions, with
 * a queue in memory between them.
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

/**
 * A running worker.
 *
 * @example
 * const statusOf = (worker: Worker) => (worker.health().healthy ? 200 : 503);
 */
export interface Worker {
  /** Returns its current state, without asking a server. */
  readonly health: () => WorkHealth;
  /** Finishes the batches in progress, releases the lease, and closes every connection. */
  readonly stop: () => Promise<void>;
}

/** Time limit of a batch. */
const batchMillis = 60_000;

/**
 * Starts a worker: it tails the outbox, applies events in batches directly to Neo4j, acknowledges
 * them, and sweeps. You may run several: one tails, and the others take over when its lease
 * expires. It starts even if a server is unavailable, retries, and reports the failure in `health`.
 *
 * @param settings read them with `readSettings(workerSettings, process.env)`.
 * @example
 * const settings = readSettings(workerSettings, process.env);
 * const worker = startWorker(settings, createCatalog([person]), log);
 * process.once('SIGTERM', () => worker.stop());
 */
export function startWorker(settings: WorkerSettings, catalog: AggregateCatalog, log: WorkerLog): Worker {
  const queue = new MemoryQueue();
  const stopped = new AbortController();
  const publisher = joinPublisher(settings, {
    send: async (packs) => {
      await queue.send(packs.flat());
      return [];
    },
    // The queue in memory holds single events.
    pointersPerEntry: 1,
    lingerMillis: 0,
    markRedelivered: (pointers) => queue.markRedelivered(pointers),
    close: () => undefined,
    checkpointId: 'worker/0',
    // The queue's content is lost when the process ends.
    durable: false,
  });
  // The driver's own back-off grows to many seconds. Without the driver's retries, the worker
  // resumes soon after Neo4j does.
  const consumer = joinConsumer(settings, catalog, noQueue, { retrySeconds: 0 });
  const sweeper = joinSweep(settings, {
    sendToQueue: async (packs) => ((await queue.offer(packs.flat())).length === 0 ? [] : packs),
    pointersPerEntry: 1,
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
