/** What an operator is told of a stage's figures: a verdict, and in words why, and where what waits is. Pure. */
import { durationText } from '../terminal/duration-text.ts';
import type { StatusReport, StatusVerdict } from './status-report.ts';

/** What the verdict depends on. */
export interface StatusFindings
  extends Pick<StatusReport, 'at' | 'pending' | 'dead' | 'queue' | 'publishers' | 'settledPerSecond' | 'canary'> {
  readonly oldestPendingAt: Date | null;
  /** The longest lag of the last five minutes. */
  readonly slowestMillis: number | null;
}

/** What is pending for this many times as long as the sweep waits should have been settled before younger events. */
const overdueFactor = 10;

/** Judges. `staleSeconds`: the sweep publishes again what is pending for longer. */
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
  const passedBy = isPassedBy(findings, waitedMillis, staleMillis);
  const waits = isLate || isCanaryLate;
  const isOut = findings.dead > 0 || passedBy || (waits && !moves);
  const reasons = [
    ...(findings.dead > 0 ? [deadReason(findings.dead)] : []),
    ...(isLate ? [pendingReason(findings, waitedMillis, passedBy)] : []),
    ...(isCanaryLate
      ? [`The last canary was written ${durationText(canaryMillis)} ago, and has not come through.`]
      : []),
    ...(waits ? [...publisherReasons(findings), ...queueReasons(findings)] : []),
  ];
  return { verdict: isOut ? 'out-of-step' : waits ? 'catching-up' : 'in-step', reasons };
}

function ageOf({ at }: StatusFindings, then: Date | null): number {
  return then === null ? 0 : at.getTime() - then.getTime();
}

/**
 * An old backlog is settled in about its order: where younger events come through at once, the oldest one does not wait
 * for its turn.
 */
function isPassedBy({ slowestMillis }: StatusFindings, waitedMillis: number, staleMillis: number): boolean {
  return slowestMillis !== null && waitedMillis > overdueFactor * staleMillis && slowestMillis * 2 < waitedMillis;
}

function deadReason(dead: number): string {
  return `${events(dead)} dead. Fix the cause, then redrive: until then, the graph lacks this data.`;
}

function pendingReason(
  { pending, settledPerSecond, slowestMillis }: StatusFindings,
  waited: number,
  passedBy: boolean,
): string {
  const wait = `${events(pending)} pending, the oldest for ${durationText(waited)}`;
  if (passedBy && slowestMillis !== null)
    return `${wait}, though others are settled within ${durationText(slowestMillis)}: it was passed by.`;
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
  const since = last === undefined ? '' : `; the last one was heard of ${durationText(ageOf(findings, last))} ago`;
  return [
    ...(silent ? [`Nobody publishes${since}.`] : []),
    ...(backlogs.length > 0 ? [`${backlogs.join(', ')} still publishes a backlog by index.`] : []),
  ];
}

function queueReasons({ queue }: StatusFindings): readonly string[] {
  if (queue === null) return [];
  const { visible, inFlight, delayed } = queue;
  if (visible > 0)
    return [`${messages(visible)} in the queue: the consumer does not keep up, does not run, or cannot work.`];
  if (inFlight + delayed > 0) return [`${messages(inFlight + delayed)} with the consumer, or to come again later.`];
  return [
    'The queue is empty: what is pending was not published, or its messages got lost. The sweep publishes it again.',
  ];
}

function events(count: number): string {
  return count === 1 ? '1 event is' : `${count.toLocaleString('en-US')} events are`;
}

function messages(count: number): string {
  return count === 1 ? 'About 1 message is' : `About ${count.toLocaleString('en-US')} messages are`;
}
