/** The metrics of a pass, which the alarms watch. */
import type { MetricName, RecordMetric } from '../runtime/metrics.ts';
import type { SweepReport } from './sweep.ts';

/** The metric of each figure. */
const figures = {
  pending: 'EventsPending',
  oldestPendingSeconds: 'OldestPendingAge',
  dead: 'EventsDeadTotal',
  republished: 'EventsRepublished',
  exhausted: 'EventsExhausted',
  tombstonesPurged: 'TombstonesPurged',
  canaryLagMillis: 'CanaryLag',
  applyLagP50Millis: 'ApplyLagP50',
  applyLagP99Millis: 'ApplyLagP99',
  publisherSilenceSeconds: 'PublisherSilence',
  queueBacklog: 'QueueBacklog',
} as const satisfies { readonly [Figure in keyof SweepReport]?: MetricName };

/** Records the figures that have a value. */
export function recordSweep(report: SweepReport, record: RecordMetric): void {
  for (const [figure, name] of Object.entries(figures)) {
    const value = report[figure as keyof typeof figures];
    if (value !== null) record(name, value);
  }
  record('SweepRuns', 1);
}
