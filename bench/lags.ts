/**
 * Lags of events: from the writer's clock to the acknowledgement, which comes after the graph's commit; all on the same
 * machine's clock.
 */
import type { Document, Filter } from 'mongodb';
import type { BenchOutbox } from './bench-outbox.ts';

/** An event that was processed, in milliseconds since the epoch. */
interface ProcessedEvent {
  readonly createdAt: number;
  readonly lag: number;
}

/** The events that match; all of them must be processed. */
export async function readLags({ outbox }: BenchOutbox, filter: Filter<Document>): Promise<readonly ProcessedEvent[]> {
  const events = await outbox.find(filter, { projection: { createdAt: 1, processedAt: 1 } }).toArray();
  return events.map(({ createdAt, processedAt }) => ({
    createdAt: createdAt.getTime(),
    lag: processedAt.getTime() - createdAt.getTime(),
  }));
}

/** The lag that this share of the events stays below or at. */
export function lagAt(events: readonly ProcessedEvent[], share: number): number {
  const lags = events.map(({ lag }) => lag).sort((left, right) => left - right);
  return lags[Math.min(lags.length - 1, Math.floor(share * lags.length))] ?? Number.NaN;
}
