/** The result of a load run: data for programs, and text for people. */
import type { DrainRates } from './drain.ts';
import { shortfall } from './find-highest-rate.ts';
import type { Headroom } from './headroom.ts';
import { writerCount } from './load-writers.ts';
import type { LocalstackPace } from './localstack-pace.ts';
import type { StepResult } from './run-step.ts';

export interface LoadSummary {
  readonly seconds: number;
  /**
   * The load of the machine over a minute, at the end of each step. It includes the stack and all
   * other programs. A higher load than with nothing else running means that the figures are
   * disturbed.
   */
  readonly machine: { readonly cores: number; readonly loads: readonly number[] };
  /** The step at the requested rate. */
  readonly asked: StepResult;
  /** The steps of the search, in order. */
  readonly steps: readonly StepResult[];
  /** Events per second of the fastest step that kept up; null if none did. */
  readonly highestRate: number | null;
  readonly drain: DrainRates;
  readonly localstack: LocalstackPace;
  readonly headroom: Headroom;
  /** Documents of the whole run, and their nodes in the graph. */
  readonly documents: number;
  readonly nodes: number;
}

/**
 * Whether the requested rate was held, and all events of the run are settled, in the graph and not
 * dead.
 */
export function isGood({ asked, steps, documents, nodes }: LoadSummary): boolean {
  const settled = [asked, ...steps].every(({ events, processed, dead }) => processed === events && dead === 0);
  return shortfall(asked) !== 'writers are late' && settled && documents === nodes;
}

const count = (value: number) => Math.round(value).toLocaleString('en');
const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`;

/** One step as a line. */
export function stepLine(step: StepResult): string {
  const { asked, together, held, lag, pendingAtEnd, longestSendWaitMillis, settledPerSecond } = step;
  const wait = longestSendWaitMillis === null ? 'unknown' : seconds(longestSendWaitMillis);
  const transactions = together === 1 ? '' : ` with ${together} documents per transaction`;
  return [
    `${asked.toFixed(0).padStart(5)}/s requested, ${held.toFixed(1)}/s held${transactions}`,
    `lag p50 ${seconds(lag.p50)}, p95 ${seconds(lag.p95)}, p99 ${seconds(lag.p99)}, max ${seconds(lag.max)}`,
    `longest wait for a send ${wait}`,
    `${count(pendingAtEnd)} pending at the end, settled at ${settledPerSecond.toFixed(0)}/s`,
    shortfall(step) ?? 'keeps up',
  ].join('; ');
}

/** The summary for people. */
export function summaryText(summary: LoadSummary): string {
  const { asked, steps, drain, localstack, headroom, machine } = summary;
  const loads = machine.loads.map((load) => load.toFixed(1));
  const wait = asked.longestSendWaitMillis;
  const highest =
    summary.highestRate === null ? 'no rate that was tried' : `${summary.highestRate.toFixed(0)} events per second`;
  const lines = [
    '',
    `  requested            ${asked.asked} events per second for ${summary.seconds} s, from ${writerCount} writers`,
    `  held                 ${asked.held.toFixed(1)} per second (${shortfall(asked) ?? 'kept up'})`,
    `  events               ${count(asked.events)} written, ${count(asked.processed)} processed, ` +
      `${count(asked.dead)} dead; ${count(asked.failed)} writes failed`,
    `  lag, write to graph  p50 ${asked.lag.p50} ms, p95 ${asked.lag.p95} ms, ` +
      `p99 ${asked.lag.p99} ms, max ${asked.lag.max} ms`,
    `  longest wait for a send  ${wait === null ? 'unknown' : `${wait} ms`}`,
    '',
    `  keeps up with        ${highest}`,
    ...[asked, ...steps].map((step) => `    ${stepLine(step)}`),
    '',
    `  drains a backlog at  ${count(drain.packed)} events per second with packs, ` +
      `${count(drain.single)} with single pointers: ${(drain.packed / drain.single).toFixed(1)} times as fast`,
    '',
    `  the machine's load   ${loads.join(', ')} on ${machine.cores} cores, after each step`,
    '',
    '  limits on the same servers, per second:',
    `    LocalStack's bus alone (PutEvents)                          ${count(localstack.bus).padStart(8)}`,
    `    LocalStack from PutEvents to the consumer, nothing to do    ${count(localstack.wholeWay).padStart(8)}`,
    `    LocalStack from the queue to the consumer, nothing to do    ${count(localstack.delivery).padStart(8)}`,
    `    the publisher without a bus                                 ${count(headroom.publisher).padStart(8)}`,
    `    the whole consumer, in batches of 1,000                     ${count(headroom.consumer).padStart(8)}`,
    '',
    `  nodes in the graph   ${count(summary.nodes)} of ${count(summary.documents)} documents`,
    `  held, settled, none dead: ${isGood(summary) ? 'yes' : 'no'}`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}
