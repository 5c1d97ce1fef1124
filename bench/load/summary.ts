/** What a load run came to: for programs as it is, for people as a text. */
import type { DrainRates } from './drain.ts';
import { shortfall } from './find-highest-rate.ts';
import type { Headroom } from './headroom.ts';
import { writerCount } from './load-writers.ts';
import type { LocalstackPace } from './localstack-pace.ts';
import type { StepResult } from './run-step.ts';

export interface LoadSummary {
  readonly seconds: number;
  /**
   * What the machine had to run, the stack and all others together: its load over a minute, at the end of each step.
   * More than with nothing else running, and the figures are disturbed.
   */
  readonly machine: { readonly cores: number; readonly loads: readonly number[] };
  /** The step at the rate that was asked for. */
  readonly asked: StepResult;
  /** The steps of the search, in their order. */
  readonly steps: readonly StepResult[];
  /** Events per second of the highest step that kept up; null if none did. */
  readonly highestRate: number | null;
  readonly drain: DrainRates;
  readonly localstack: LocalstackPace;
  readonly headroom: Headroom;
  /** Documents of the whole run, and their nodes in the graph. */
  readonly documents: number;
  readonly nodes: number;
}

/** Whether the asked rate was held, and everything of the whole run is settled and in the graph, nothing dead. */
export function isGood({ asked, steps, documents, nodes }: LoadSummary): boolean {
  const settled = [asked, ...steps].every(({ events, processed, dead }) => processed === events && dead === 0);
  return shortfall(asked) !== 'writers are late' && settled && documents === nodes;
}

const count = (value: number) => Math.round(value).toLocaleString('en');
const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`;

/** One step as a line. */
export function stepLine(step: StepResult): string {
  const { asked, together, held, lag, pendingAtEnd, longestSendWaitMillis, settledPerSecond } = step;
  const wait = longestSendWaitMillis === null ? 'not known' : seconds(longestSendWaitMillis);
  const transactions = together === 1 ? '' : ` with ${together} documents a transaction`;
  return [
    `${asked.toFixed(0).padStart(5)}/s asked, ${held.toFixed(1)}/s held${transactions}`,
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
    `  asked                ${asked.asked} events per second for ${summary.seconds} s, from ${writerCount} writers`,
    `  held                 ${asked.held.toFixed(1)} per second (${shortfall(asked) ?? 'kept up'})`,
    `  events               ${count(asked.events)} written, ${count(asked.processed)} processed, ` +
      `${count(asked.dead)} dead; ${count(asked.failed)} writes failed`,
    `  lag, write to graph  p50 ${asked.lag.p50} ms, p95 ${asked.lag.p95} ms, ` +
      `p99 ${asked.lag.p99} ms, max ${asked.lag.max} ms`,
    `  longest wait of an event for its send  ${wait === null ? 'not known' : `${wait} ms`}`,
    '',
    `  keeps up with        ${highest}`,
    ...[asked, ...steps].map((step) => `    ${stepLine(step)}`),
    '',
    `  drains a backlog at  ${count(drain.packed)} events per second in packs, ` +
      `${count(drain.single)} one by one: ${(drain.packed / drain.single).toFixed(1)} times`,
    '',
    `  the machine's load   ${loads.join(', ')} on ${machine.cores} cores, after each step`,
    '',
    '  what limits it, on the same servers, per second:',
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
