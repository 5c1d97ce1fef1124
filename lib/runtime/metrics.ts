/**
 * The metrics that the parts report, with their units in CloudWatch. The functions emit them there;
 * the worker keeps them for Prometheus and OpenTelemetry (`lib/worker/metrics.ts`).
 */
import type { Metrics } from '@aws-lambda-powertools/metrics';

/** The metrics that are no counts. */
const times = {
  OldestPendingAge: 'Seconds',
  PublisherSilence: 'Seconds',
  CanaryLag: 'Milliseconds',
  ApplyLag: 'Milliseconds',
  ApplyLagP50: 'Milliseconds',
  ApplyLagP99: 'Milliseconds',
} as const;

/** All metrics. `infra/alarms.yml` uses these names. */
export type MetricName =
  | keyof typeof times
  | 'EventsPending'
  | 'EventsDeadTotal'
  | 'EventsRepublished'
  | 'EventsExhausted'
  | 'TombstonesPurged'
  | 'QueueBacklog'
  | 'SweepRuns'
  | 'EventsApplied'
  | 'EventsSuperseded'
  | 'EventsDead'
  | 'OwnershipConflicts'
  | 'MessagesUnreadable'
  | 'EventsPublished'
  | 'EntriesPublished'
  | 'EventsRefused'
  | 'PublisherRuns'
  | 'HistoryLost'
  | 'ChangeEventsTooLarge';

/** The unit of a metric in CloudWatch. */
export function unitOf(name: MetricName): 'Count' | 'Seconds' | 'Milliseconds' {
  return name in times ? times[name as keyof typeof times] : 'Count';
}

/** Records a value of a metric, in its unit. */
export type RecordMetric = (name: MetricName, value: number) => void;

/** Records metrics for CloudWatch. */
export function recordIn(metrics: Pick<Metrics, 'addMetric'>): RecordMetric {
  return (name, value) => void metrics.addMetric(name, unitOf(name), value);
}
