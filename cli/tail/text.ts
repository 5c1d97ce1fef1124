/** One change of the outbox as a line for people. */

import { escapeUnprintable } from '../../lib/contract/printable.ts';
import { durationText } from '../terminal/duration-text.ts';
import type { OutboxChange } from './outbox-change.ts';

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
