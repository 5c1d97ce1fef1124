/** A change in the outbox, as `outgraph tail` prints it: names and times, never a payload. */
import type { Operation } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import { escapeUnprintable } from '../../lib/contract/printable.ts';
import { durationText } from '../terminal/duration-text.ts';

/** What happened to an event. */
export type Happening =
  | { readonly what: 'written' }
  /**
   * The event, or a newer state of its aggregate, is in the graph. The lag is measured from
   * `createdAt`.
   */
  | { readonly what: 'applied'; readonly lagMillis: number }
  | { readonly what: 'dead'; readonly code: string }
  /** Pending again after it was dead or processed. */
  | { readonly what: 'redriven' };

export type OutboxChange = Happening & {
  /** By the server's clock. */
  readonly at: Date;
  readonly eventId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly operation: Operation;
  readonly position: Position;
};

/** `12:00:00.250Z  6745f00000000001  applied   upsert  memory-event  66a0…  after 250 ms`. */
export function tailLine(change: OutboxChange): string {
  const { at, position, what, operation, aggregateType, aggregateId } = change;
  const columns = [at.toISOString().slice(11), position, what.padEnd(8), operation, aggregateType, aggregateId];
  return escapeUnprintable([...columns, ...restOf(change)].join('  '));
}

function restOf(change: OutboxChange): readonly string[] {
  if (change.what === 'applied') return [`after ${durationText(change.lagMillis)}`];
  return change.what === 'dead' ? [change.code] : [];
}
