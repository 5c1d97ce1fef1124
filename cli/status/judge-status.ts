/** Judges a stage's figures: the verdict, its reasons as text, and where events wait. Pure. */
import { durationText } from '../terminal/duration-text.ts';
import type { StatusReport, StatusVerdict } from './status-report.ts';

export interface StatusFindings
  extends Pick<StatusReport, 'at' | 'pending' | 'dead' | 'queue' | 'publishers' | 'settledPerSecond' | 'canary'> {
  readonly oldestPendingAt: Date | null;
  /** The longest lag of the last five minutes. */
  readonly slowestMillis: number | null;
}

/**
 * An event that is pending for this many times the stale time should have been settled before
 * younger events.
 */
const overdueFactor = 10;

/** @param staleSeconds the sweep republishes events that are pending for longer. */
export function judgeStatus(
  findings: StatusFindings,
  { staleSeconds }: { readonly staleSeconds: number },
): { readonly verdict: StatusVerdict; readonly reasons: readonly string[] } {
  const staleMillis = staleSeconds * 1_000;
  const waitedMillis = ageOf(findings, findings.oldestPendingAt);
  const canaryMillis = findings.canary?.processedAt === null ? ageOf(findings, findings.canary.writtenAt) : 0;
  const isLate = waitedMillis > staleMillis;
  const isCanaryLate = canaryMillis > staleMillis;
  const moves = findings.settledPerSecond > 0;
  const isSkipped = isOldestSkipped(findings, waitedMillis, staleMillis);
  const waits = isLate || isCanaryLate;
  const isOut = findings.dead > 0 || isSkipped || (waits && !moves);
  const reasons = [
    ...(findings.dead > 0 ? [deadReason(findings.dead)] : []),
    ...(isLate ? [pendingReason(findings, waitedMillis, isSkipped)] : []),
    ...(isCanaryLate ? [`The last canary was written ${durationText(canaryMillis)} ago and is not applied yet.`] : []),
    ...(waits ? [...publisherReasons(findings), ...queueReasons(findings)] : []),
  ];
  return { verdict: isOut ? 'out-of-step' : waits ? 'catching-up' : 'in-step', reasons };
}

function ageOf({ at }: StatusFindings, then: Date | null): number {
  return then === null ? 0 : at.getTime() - then.getTime();
}

/**
 * A backlog is settled in about its order. If younger events are settled quickly, the oldest event
 * is not just waiting in line.
 */
function isOldestSkipped({ slowestMillis }: StatusFindings, waitedMillis: number, staleMillis: number): boolean {
  return slowestMillis !== null && waitedMillis > overdueFactor * staleMillis && slowestMillis * 2 < waitedMillis;
}

function deadReason(dead: number): string {
  return `${events(dead)} dead. Fix the cause, then redrive: until then, the graph lacks this data.`;
}

function pendingReason(
  { pending, settledPerSecond, slowestMillis }: StatusFindings,
  waited: number,
  isSkipped: boolean,
): string {
  const wait = `${events(pending)} pending, the oldest for ${durationText(waited)}`;
  if (isSkipped && slowestMillis !== null)
    return `${wait}, although others are settled within ${durationText(slowestMillis)}: it is being skipped.`;
  if (settledPerSecond > 0) return `${wait}; ${rateText(settledPerSecond)} are being settled.`;
  return `${wait}, and none was settled in the last minute.`;
}

/** "12 a minute", "3.5 a second", "1,200 a second". */
export function rateText(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.95) return `${Math.max(1, Math.round(perSecond * 60))} a minute`;
  return `${perSecond.toLocaleString('en-US', { maximumFractionDigits: perSecond < 10 ? 1 : 0 })} a second`;
}

function publisherReasons(findings: StatusFindings): readonly string[] {
  const { publishers } = findings;
  const backlogs = publishers.filter(({ hasBacklog }) => hasBacklog).map(({ id }) => id);
  const silent = publishers.length > 0 && publishers.every(({ owner }) => owner === null);
  const last = publishers.flatMap(({ updatedAt }) => updatedAt ?? []).sort((left, right) => +right - +left)[0];
  const since = last === undefined ? '' : `; the last one was active ${durationText(ageOf(findings, last))} ago`;
  return [
    ...(silent ? [`No publisher is running${since}.`] : []),
    ...(backlogs.length > 0 ? [`${backlogs.join(', ')} is still publishing a backlog by index.`] : []),
  ];
}

function queueReasons({ queue }: StatusFindings): readonly string[] {
  if (queue === null) return [];
  const { visible, inFlight, delayed } = queue;
  if (visible > 0) return [`${messages(visible)} in the queue: the consumer does not keep up, does not run, or fails.`];
  if (inFlight + delayed > 0)
    return [`${messages(inFlight + delayed)} with the consumer, or waiting for a redelivery.`];
  return [
    'The queue is empty: pending events were not published, or their messages were lost. The sweep republishes them.',
  ];
}

function events(count: number): string {
  return count === 1 ? '1 event is' : `${count.toLocaleString('en-US')} events are`;
}

function messages(count: number): string {
  return count === 1 ? 'About 1 message is' : `About ${count.toLocaleString('en-US')} messages are`;
}
