import { expect, it } from 'vitest';
import { type OutboxChange, tailLine } from '../../../cli/tail/outbox-change.ts';
import type { Position } from '../../../lib/contract/position.ts';

const event = {
  at: new Date('2026-11-25T12:00:00.250Z'),
  eventId: '66a0c0ffee0123456789abcd',
  aggregateType: 'person',
  aggregateId: 'ada\u001b[2J',
  operation: 'upsert' as const,
  position: '6745f00000000001' as Position,
};

it.each<readonly [OutboxChange, string]>([
  [{ ...event, what: 'written' }, 'written   upsert  person  ada\\u001b[2J'],
  [{ ...event, what: 'applied', lagMillis: 250 }, 'applied   upsert  person  ada\\u001b[2J  after 250 ms'],
  [{ ...event, what: 'dead', code: 'key-invalid' }, 'dead      upsert  person  ada\\u001b[2J  key-invalid'],
  [{ ...event, what: 'redriven', operation: 'delete' }, 'redriven  delete  person  ada\\u001b[2J'],
])('%o is one line without control characters', (change, line) => {
  expect(tailLine(change)).toBe(`12:00:00.250Z  6745f00000000001  ${line}`);
});
