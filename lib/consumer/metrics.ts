/** The metrics of a batch. */
import type { RecordMetric } from '../runtime/metrics.ts';
import type { ConsumeReport } from './ports.ts';

/** Records the counts of a batch. */
export function recordCounts(report: ConsumeReport, record: RecordMetric): void {
  record('EventsApplied', report.applied);
  record('EventsSuperseded', report.superseded);
  record('EventsDead', report.dead);
  record('OwnershipConflicts', report.conflicts);
  record('MessagesUnreadable', report.unreadable);
}

/** The milliseconds from `createdAt` until now of each event that the batch applied. */
export function applyLags({ appliedCreatedAt }: ConsumeReport, now: number): readonly number[] {
  return appliedCreatedAt.map((createdAt) => Math.max(0, now - createdAt.getTime()));
}
