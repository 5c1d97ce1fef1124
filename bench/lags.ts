/**
 * Reads lags of events: from the writer's clock to the acknowledgement, which follows the graph's
 * commit. Both times are from the clock of the same machine.
 */
import type { Document, Filter } from 'mongodb';
import type { BenchOutbox } from './bench-outbox.ts';

/** A time between two steps of an event, in milliseconds. */
export interface Lag {
  readonly lag: number;
}

/** A processed event, in milliseconds since the epoch. */
interface ProcessedEvent extends Lag {
  readonly createdAt: number;
}

/** The lags of the matching events. All of them must be processed. */
export async function readLags({ outbox }: BenchOutbox, filter: Filter<Document>): Promise<readonly ProcessedEvent[]> {
  const events = await outbox.find(filter, { projection: { createdAt: 1, processedAt: 1 } }).toArray();
  return events.map(({ createdAt, processedAt }) => ({
    createdAt: createdAt.getTime(),
    lag: processedAt.getTime() - createdAt.getTime(),
  }));
}

/** The lag that this share of the events does not exceed. */
export function lagAt(events: readonly Lag[], share: number): number {
  const lags = events.map(({ lag }) => lag).sort((left, right) => left - right);
  return lags[Math.min(lags.length - 1, Math.floor(share * lags.length))] ?? Number.NaN;
}
