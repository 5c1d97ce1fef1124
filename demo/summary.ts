/** What an input of dated events came to: for programs as it is, for people as a text. */
import type { Comparison } from './compare-graph.ts';
import type { Lag, OutboxFigures } from './outbox-figures.ts';

/** The figures of one input. `applied` and `superseded` are null where the consumer's log is not at hand. */
export interface MemorySummary extends OutboxFigures, Comparison {
  readonly input: string;
  readonly calendars: number;
  /** Documents written: insertions, changes and deletions. */
  readonly documents: number;
  readonly applied: number | null;
  /** Settled without effect of their own, because a newer state of the same aggregate was applied. */
  readonly superseded: number | null;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly lagMillis: Lag;
}

const shownDifferences = 50;

/** The summary for people. */
export function summaryText(summary: MemorySummary): string {
  const { lagMillis: lag, differences } = summary;
  const count = (value: number | null) => (value === null ? 'not known' : value.toLocaleString('en'));
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

/** Whether the graph equals something, and every difference on a line of its own, up to fifty. */
export function verdictLines(what: string, differences: readonly string[]): readonly string[] {
  return [
    `  graph equals ${what}: ${differences.length === 0 ? 'yes' : `no, ${differences.length} differences`}`,
    ...differences.slice(0, shownDifferences).map((difference) => `    ${difference}`),
    ...(differences.length > shownDifferences ? [`    … and ${differences.length - shownDifferences} more`] : []),
  ];
}
