/**
 * Runs publisher, consumer and sweep in one resident process: the same flows as the functions, with
 * a queue in memory between them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { applyLags, recordCounts } from '../consumer/metrics.ts';
import { joinConsumer, noQueue } from '../consumer/wiring.ts';
import { describeError } from '../contract/fault.ts';
import { closeInTime } from '../graph/neo4j-unless-silent.ts';
import type { AggregateCatalog } from '../projection/catalog.ts';
import { lossMetrics } from '../publisher/log.ts';
import { joinPublisher } from '../publisher/wiring.ts';
import { otlpUrl } from '../runtime/otlp.ts';
import type { WorkerSettings } from '../runtime/settings.ts';
import { recordSweep } from '../sweep/metrics.ts';
import { joinSweep } from '../sweep/wiring.ts';
import type { ObservedWorker } from './answer-probes.ts';
import type { WorkerLog } from './log.ts';
import { MemoryQueue } from './memory-queue.ts';
import { createMetrics } from './metrics.ts';
import { joinGroup } from './mongodb-group-lease.ts';
import type { MetricExport } from './otlp-metrics.ts';
import { type Readiness, readinessOf } from './readiness.ts';
import { Share } from './share.ts';
import { Work, type WorkHealth } from './work.ts';

/**
 * A running worker.
 *
 * @example
 * const isTailing = (worker: Worker) => worker.health().publisher === 'tail';
 */
export interface Worker extends ObservedWorker {
  /** Asks both servers, and says what is not ready. It takes up to six seconds. */
  readonly readiness: () => Promise<Readiness>;
  /** Returns its current state, without asking a server. */
  readonly health: () => WorkHealth;
  /**
   * Finishes the batches in progress, releases the lease, and closes every connection. It takes at
   * most 25 seconds: after 20, it abandons batches that wait for a silent server. Their events stay
   * pending.
   */
  readonly stop: () => Promise<void>;
}

/** Time limit of a batch. */
const batchMillis = 60_000;

/**
 * Kubernetes ends a process 30 seconds after SIGTERM by default. Closing the connections takes a few
 * of them.
 */
const stopMillis = 20_000;

/**
 * Starts a worker: it tails the outbox, applies events in batches directly to Neo4j, acknowledges
 * them, and sweeps. Several share the work: each applies the events of its share of the aggregates,
 * and takes over a part of the share of one that stops. It starts even if a server is unavailable,
 * retries, and reports the failure in `health`.
 * With an OTLP endpoint, it also sends its metrics there.
 *
 * @param settings read them with `readSettings(workerSettings, process.env)`.
 * @example
 * const settings = readSettings(workerSettings, process.env);
 * const worker = startWorker(settings, createCatalog([person]), log);
 * process.once('SIGTERM', () => worker.stop());
 */
export function startWorker(settings: WorkerSettings, catalog: AggregateCatalog, log: WorkerLog): Worker {
  const queue = new MemoryQueue();
  const share = new Share();
  const stopped = new AbortController();
  let stopsAt = Number.POSITIVE_INFINITY;
  const metrics = createMetrics(() => work.health());
  const { record } = metrics;
  const publisher = joinPublisher(settings, {
    send: async (packs) => {
      queue.send(packs.flat());
      return [];
    },
    // The queue in memory holds single events.
    pointersPerEntry: 1,
    lingerMillis: 0,
    markRedelivered: (pointers) => queue.markRedelivered(pointers),
    close: () => undefined,
    lease: joinGroup(share, () => stopped.signal.aborted),
    select: (pointer) => share.includes(pointer),
    waitForCapacity: () => queue.waitForCapacity(),
    working: (role) => work.publisherWorks(role, share.workers),
  });
  // The driver's own back-off grows to many seconds. Without the driver's retries, the worker
  // resumes soon after Neo4j does.
  const consumer = joinConsumer(settings, catalog, noQueue, { retrySeconds: 0 });
  const sweeper = joinSweep(settings, {
    sendToQueue: async (packs) => (queue.offer(packs.flat()).length === 0 ? [] : packs),
    pointersPerEntry: 1,
    countBacklog: async () => queue.inFlight,
    isWaiting: (eventId) => queue.has(eventId),
    close: () => undefined,
  });
  const work = new Work(
    {
      publish: (remainingMillis) =>
        publisher.publish(remainingMillis, {
          ...log,
          publishingPending: (code) => {
            if (code !== null) record(lossMetrics[code], 1);
            log.publishingPending(code);
          },
          published: (pointers) => {
            record('EventsPublished', pointers.length);
            log.published(pointers);
          },
        }),
      consume: async (messages) => {
        const startedAt = Date.now();
        const remainingMillis = () => Math.min(startedAt + batchMillis, stopsAt) - Date.now();
        const report = await consumer.consume(messages, remainingMillis, log);
        metrics.batchEnded(Date.now() - startedAt);
        recordCounts(report, record);
        for (const lag of applyLags(report, Date.now())) record('ApplyLag', lag);
        return report;
      },
      sweep: (remainingMillis) => sweeper.sweep(remainingMillis, (report) => recordSweep(report, record), log),
      queue,
      sleep: (millis) => sleep(millis, undefined, { signal: stopped.signal }).catch(() => undefined),
      now: Date.now,
      log: {
        failed: (part, error, retryMillis) => {
          metrics.partFailed(part);
          log.failed(part, error, retryMillis);
        },
      },
    },
    {
      consumers: settings.WORKER_CONSUMERS,
      batchSize: settings.WORKER_BATCH_SIZE,
      sweepSeconds: settings.WORKER_SWEEP_SECONDS,
    },
  );
  const running = work.run();
  const exported = startExport(settings, metrics.registry, log);
  return {
    health: () => work.health(),
    readiness: () => readinessOf(work.health(), stopped.signal.aborted, consumer.check),
    metrics: metrics.registry,
    stop: async () => {
      stopsAt = Date.now() + stopMillis;
      work.stop();
      stopped.abort();
      await Promise.race([running, sleep(stopMillis, undefined, { ref: false })]);
      await Promise.all([...[publisher, consumer, sweeper].map(closeInTime), exported?.then(({ close }) => close())]);
    },
  };
}

/** Null if no endpoint is set. OpenTelemetry is loaded only if one is. */
function startExport(settings: WorkerSettings, registry: Registry, log: WorkerLog): Promise<MetricExport> | null {
  const url = otlpUrl(settings, settings.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, 'v1/metrics');
  if (url === null) return null;
  const failed = (error: unknown) => log.metricsNotDelivered(describeError(error).reason);
  return import('./otlp-metrics.ts').then(({ exportMetrics }) =>
    exportMetrics(registry, { url, serviceName: noQueue.spans.serviceName }, failed),
  );
}
