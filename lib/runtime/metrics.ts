/**
 * The metrics that the parts report, with their units in CloudWatch. The functions emit them there;
 * the worker keeps them for Prometheus and OpenTelemetry (`lib/worker/metrics.ts`).
 */
import type { Metrics } from '@aws-lambda-powertools/metrics';

/** The unit of each metric. `infra/alarms.yml` uses these names. */
export const metricUnits = {
  EventsPending: 'Count',
  EventsDeadTotal: 'Count',
  OldestPendingAge: 'Seconds',
  EventsRepublished: 'Count',
  EventsExhausted: 'Count',
  TombstonesPurged: 'Count',
  QueueBacklog: 'Count',
  CanaryLag: 'Milliseconds',
  ApplyLagP50: 'Milliseconds',
  ApplyLagP99: 'Milliseconds',
  PublisherSilence: 'Seconds',
  SweepRuns: 'Count',
  EventsApplied: 'Count',
  EventsSuperseded: 'Count',
  EventsDead: 'Count',
  OwnershipConflicts: 'Count',
  MessagesUnreadable: 'Count',
  ApplyLag: 'Milliseconds',
  EventsPublished: 'Count',
  EntriesPublished: 'Count',
  EventsRefused: 'Count',
  PublisherRuns: 'Count',
  HistoryLost: 'Count',
  ChangeEventsTooLarge: 'Count',
} as const satisfies Readonly<Record<string, 'Count' | 'Seconds' | 'Milliseconds'>>;

export type MetricName = keyof typeof metricUnits;

/** Records a value of a metric, in its unit. */
export type RecordMetric = (name: MetricName, value: number) => void;

/** Records metrics for CloudWatch. */
export function recordIn(metrics: Pick<Metrics, 'addMetric'>): RecordMetric {
  return (name, value) => void metrics.addMetric(name, metricUnits[name], value);
}
