/** The result of an input of dated events: data for programs, and text for people. */
import type { Comparison } from './compare-graph.ts';
import type { Lag, OutboxFigures } from './outbox-figures.ts';

/**
 * The figures of one input. `applied` and `superseded` are null if the consumer's log is not
 * available.
 */
export interface MemorySummary extends OutboxFigures, Comparison {
  readonly input: string;
  readonly calendars: number;
  /** Documents written: insertions, changes and deletions. */
  readonly documents: number;
  readonly applied: number | null;
  /** Settled without effect, because a newer state of the same aggregate was applied. */
  readonly superseded: number | null;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly lagMillis: Lag;
}

const shownDifferences = 50;

/** The summary for people. */
export function summaryText(summary: MemorySummary): string {
  const { lagMillis: lag, differences } = summary;
  const count = (value: number | null) => (value === null ? 'unknown' : value.toLocaleString('en'));
  const lines = [
    '',
    `${summary.input}`,
    `  documents written    ${count(summary.documents)}`,
    `  events per second    ${count(Math.round(summary.eventsPerSecond))}   over ${summary.seconds.toFixed(1)} s`,
    `  lag, write to graph  p50 ${lag.p50} ms, p95 ${lag.p95} ms, p99 ${lag.p99} ms, max ${lag.max} ms`,
    ...verdictLines('documents', differences),
    '',
    `  calendars            ${count(summary.calendars)}`,
    `  events written       ${count(summary.events)}`,
    `  applied              ${count(summary.applied)}`,
    `  superseded           ${count(summary.superseded)}   by newer states of the same aggregate`,
    `  dead                 ${count(summary.dead)}`,
    `  still pending        ${count(summary.pending)}`,
    `  republished          ${count(summary.republished)}   by the sweep`,
    `  nodes                ${count(summary.nodes.expected)} expected, ${count(summary.nodes.found)} found`,
    `  relationships        ${count(summary.relationships.expected)} expected, ` +
      `${count(summary.relationships.found)} found`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Whether the graph equals another one, and the first fifty differences, each on its own line. */
export function verdictLines(what: string, differences: readonly string[]): readonly string[] {
  return [
    `  graph matches ${what}: ${differences.length === 0 ? 'yes' : `no, ${differences.length} differences`}`,
    ...differences.slice(0, shownDifferences).map((difference) => `    ${difference}`),
    ...(differences.length > shownDifferences ? [`    … and ${differences.length - shownDifferences} more`] : []),
  ];
}
