/**
 * The worker's instruments, for Prometheus and OpenTelemetry: the functions' metrics under the names
 * that Prometheus recommends, and a few of the worker's own.
 *
 * https://prometheus.io/docs/practices/naming/
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricName, type RecordMetric, unitOf } from '../runtime/metrics.ts';
import type { WorkHealth, WorkPart } from './work.ts';

interface InstrumentNames {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
}

const counter = (name: string, help: string): InstrumentNames => ({ type: 'counter', name, help });
const gauge = (name: string, help: string): InstrumentNames => ({ type: 'gauge', name, help });

/**
 * The instrument of each of the functions' metrics. Null: the worker has no such thing, or
 * Prometheus computes it.
 */
export const instruments: Readonly<Record<MetricName, InstrumentNames | null>> = {
  EventsPending: gauge('outgraph_outbox_pending_events', 'Pending events in the outbox, up to a million.'),
  EventsDeadTotal: gauge('outgraph_outbox_dead_events', 'Dead events in the outbox, up to a million.'),
  OldestPendingAge: gauge('outgraph_oldest_pending_age_seconds', 'Age of the oldest pending event.'),
  EventsRepublished: counter('outgraph_events_republished_total', 'Events that the sweep published again.'),
  EventsExhausted: counter('outgraph_events_exhausted_total', 'Events dead with the code attempts-exhausted.'),
  TombstonesPurged: counter('outgraph_tombstones_purged_total', 'Tombstones that the sweep purged.'),
  QueueBacklog: gauge('outgraph_queue_backlog_events', 'Events queued or being processed at the last sweep.'),
  CanaryLag: gauge('outgraph_canary_lag_seconds', 'Time that the newest canary took, or has been waiting for.'),
  ApplyLagP50: null,
  ApplyLagP99: null,
  PublisherSilence: gauge('outgraph_publisher_silence_seconds', 'Time since a publisher wrote its checkpoint.'),
  SweepRuns: counter('outgraph_sweep_runs_total', 'Sweeps that measured the outbox.'),
  EventsApplied: counter('outgraph_events_applied_total', 'Events applied to the graph.'),
  EventsSuperseded: counter('outgraph_events_superseded_total', 'Events left out: the graph had a newer state.'),
  EventsDead: counter('outgraph_events_dead_total', 'Events marked dead: they can never be applied.'),
  OwnershipConflicts: counter('outgraph_ownership_conflicts_total', 'Attempts in conflict with another aggregate.'),
  MessagesUnreadable: null,
  ApplyLag: {
    type: 'histogram',
    name: 'outgraph_apply_lag_seconds',
    help: 'Time from createdAt of each applied event to the end of its batch.',
  },
  EventsPublished: counter('outgraph_events_published_total', 'Events that the publisher queued.'),
  EntriesPublished: null,
  EventsRefused: null,
  PublisherRuns: null,
  HistoryLost: counter('outgraph_history_lost_total', 'Times that the place in the change stream was lost.'),
  ChangeEventsTooLarge: counter('outgraph_change_events_too_large_total', 'Events that the stream cannot bring.'),
};

/** From a lag without any load, through the alarm's five minutes, to a long outage. */
const lagSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600];

/** From one event to the time limit of a batch. */
const batchSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const parts: readonly WorkPart[] = ['publisher', 'consumer', 'sweep'];

/** The instruments of one worker. */
export interface WorkerMetrics {
  readonly registry: Registry;
  readonly record: RecordMetric;
  /** A part failed; it retries. */
  readonly partFailed: (part: WorkPart) => void;
  readonly batchEnded: (millis: number) => void;
}

/** @param health read with each collection. */
export function createMetrics(health: () => WorkHealth): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const recorders = new Map(
    Object.entries(instruments).flatMap(([metric, names]) =>
      names === null ? [] : [[metric, openInstrument(names, registers)] as const],
    ),
  );
  const failures = new Counter({
    name: 'outgraph_part_failures_total',
    help: 'Failures of a part as a whole: a server is unavailable, hangs or refuses.',
    labelNames: ['part'],
    registers,
  });
  for (const part of parts) failures.inc({ part }, 0);
  new Gauge({
    name: 'outgraph_part_failing',
    help: '1 while a part fails and retries.',
    labelNames: ['part'],
    registers,
    collect() {
      const { failing } = health();
      for (const part of parts) this.set({ part }, failing[part] === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: 'outgraph_publisher_tailing',
    help: '1 if this worker tails the outbox and applies its share, 0 if not.',
    registers,
    collect() {
      this.set(health().publisher === 'tail' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'outgraph_workers',
    help: 'Workers that share the outbox, as this one sees them; 0 unless it tails.',
    registers,
    collect() {
      this.set(health().workers);
    },
  });
  const batches = new Histogram({
    name: 'outgraph_batch_duration_seconds',
    help: 'Duration of a batch, from its first read to its acknowledgement.',
    buckets: batchSeconds,
    registers,
  });
  return {
    registry,
    record: (name, value) => recorders.get(name)?.(unitOf(name) === 'Milliseconds' ? value / 1_000 : value),
    partFailed: (part) => failures.inc({ part }),
    batchEnded: (millis) => batches.observe(millis / 1_000),
  };
}

function openInstrument({ type, ...about }: InstrumentNames, registers: Registry[]): (value: number) => void {
  const given = { ...about, registers };
  if (type === 'histogram') {
    const histogram = new Histogram({ ...given, buckets: lagSeconds });
    return (value) => histogram.observe(value);
  }
  if (type === 'counter') {
    const counter = new Counter(given);
    return (value) => counter.inc(value);
  }
  const gauge = new Gauge(given);
  return (value) => gauge.set(value);
}
