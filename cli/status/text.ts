/** The status as text. Times are ages by MongoDB's clock, because the reader's clock may differ. */
import { durationText } from '../terminal/duration-text.ts';
import { table } from '../terminal/table.ts';
import { rateText } from './judge-status.ts';
import type { PublisherStatus, QueueStatus, StatusReport } from './status-report.ts';

const headlines = { 'in-step': 'In step.', 'catching-up': 'Catching up.', 'out-of-step': 'Out of step.' } as const;

/** The verdict, the reasons, the events by type, and the figures. */
export function statusText(report: StatusReport): string {
  const { verdict, reasons, at, dead } = report;
  return [
    `${headlines[verdict]}  (${at.toISOString().slice(0, 19)}Z, by MongoDB's clock)`,
    ...reasons.map((reason) => `  - ${reason}`),
    ...(dead > 0 ? ['    Why events are dead: outgraph dead list'] : []),
    '',
    typesText(report),
    '',
    ...figures(report).map(([name, text]) => `${name.padEnd(widest(report))}  ${text}`),
  ].join('\n');
}

function typesText({ types, isCapped, pending, dead, at }: StatusReport): string {
  if (types.length === 0) return 'No event is pending or dead.';
  const rows = types.map((type) => [
    type.aggregateType,
    type.pending,
    type.oldestPendingAt === null ? '' : ago(at, type.oldestPendingAt),
    type.dead,
  ]);
  const [all, allDead] = [pending, dead].map((events) => events.toLocaleString('en-US'));
  const rest = isCapped ? [`(only the oldest are counted by type; in total ${all} pending, ${allDead} dead)`] : [];
  return [table(['type', 'pending', 'oldest', 'dead'], rows), ...rest].join('\n');
}

function figures(report: StatusReport): readonly (readonly [string, string])[] {
  return [
    ['settled', settledText(report)],
    ['lag', lagText(report)],
    ['canary', canaryText(report)],
    ['queue', queueText(report.queue, 'QUEUE_URL')],
    ['dead letters', queueText(report.deadLetterQueue, 'DEAD_LETTER_QUEUE_URL')],
    ...report.publishers.map((publisher) => [publisher.id, publisherText(publisher, report.at)] as const),
    ...(report.publishers.length === 0
      ? [['publisher', 'none has ever run here (an Atlas Trigger does not count)'] as const]
      : []),
  ];
}

function widest(report: StatusReport): number {
  return Math.max(...figures(report).map(([name]) => name.length));
}

function settledText({ settledPerSecond, lastSettledAt, at }: StatusReport): string {
  const last = lastSettledAt === null ? 'none in the outbox' : `the last ${ago(at, lastSettledAt)}`;
  return `${rateText(settledPerSecond)} over the last minute; ${last}`;
}

function lagText({ lag }: StatusReport): string {
  if (lag === null) return 'nothing was settled in the last minute';
  const { events, p50Millis, p95Millis, maxMillis } = lag;
  const [half, most, all] = [p50Millis, p95Millis, maxMillis].map(durationText);
  const settled = events === 1 ? '1 event' : `${events.toLocaleString('en-US')} events`;
  return `half within ${half}, 95 % within ${most}, all within ${all} (${settled} of the last minute)`;
}

function canaryText({ canary, at }: StatusReport): string {
  if (canary === null) return 'none: the sweep has not run here recently';
  const { writtenAt, processedAt } = canary;
  const written = `written ${ago(at, writtenAt)}`;
  if (processedAt === null) return `${written}, not applied yet`;
  return `${written}, applied after ${durationText(processedAt.getTime() - writtenAt.getTime())}`;
}

function queueText(queue: QueueStatus | null, setting: string): string {
  if (queue === null) return `unknown: ${setting} is not set`;
  const [visible, inFlight, delayed] = [queue.visible, queue.inFlight, queue.delayed].map((count) =>
    count.toLocaleString('en-US'),
  );
  return `about ${visible} waiting, ${inFlight} in flight, ${delayed} delayed`;
}

function publisherText(publisher: PublisherStatus, at: Date): string {
  const { owner, leaseExpiresAt, updatedAt, hasBacklog, workers } = publisher;
  const holders = workers === null ? '' : ` by ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const lease =
    owner === null
      ? 'its lease is free'
      : `its lease is held${holders} for another ${durationText(leaseExpiresAt.getTime() - at.getTime())}`;
  const done = workers === null ? 'progress saved' : 'renewed';
  const saved = updatedAt === null ? 'no progress yet' : `${done} ${ago(at, updatedAt)}`;
  return `${lease}; ${saved}${hasBacklog ? '; publishing a backlog by index' : ''}`;
}

function ago(at: Date, then: Date): string {
  return `${durationText(at.getTime() - then.getTime())} ago`;
}
