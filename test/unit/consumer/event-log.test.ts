/** The log lines about single events: their content and level. */
import { describe, expect, it } from 'vitest';
import { consumeLog } from '../../../lib/consumer/log.ts';
import { pointerLog } from '../../../lib/publisher/log.ts';
import { sweepLog } from '../../../lib/sweep/log.ts';
import type { StaleEvent } from '../../../lib/sweep/stale-event.ts';

const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736';
const event = {
  eventId: '66a0c0ffee0123456789abcd',
  aggregateType: 'graph',
  aggregateId: 'secret',
  payload: 'secret',
  traceparent: `00-${trace_id}-00f067aa0ba902b7-01`,
};
const { eventId } = event;
const levels = { debug: 8, info: 12 };

/** A logger with a level that records whatever reaches it. */
function loggerAt(level: number) {
  const lines: unknown[] = [];
  const note =
    (name: string) =>
    (...line: unknown[]) =>
      void lines.push([name, ...line]);
  return { level, lines, error: note('error'), warn: note('warn'), debug: note('debug') };
}

describe('the outcome of a good event', () => {
  it('is logged at DEBUG, with the trace and without payload and aggregate', () => {
    const logger = loggerAt(levels.debug);
    pointerLog(logger).published([event]);
    consumeLog(logger).eventOutcome(event, { outcome: 'applied' });
    consumeLog(logger).eventOutcome({ eventId }, { outcome: 'settled-before' });
    consumeLog(logger).eventOutcome(event, { outcome: 'retried', code: 'time-up' });
    sweepLog(logger).eventRepublished({ ...event, attempts: 3 } as unknown as StaleEvent);
    sweepLog(logger).eventNotRepublished({ ...event, attempts: 3 } as unknown as StaleEvent);
    expect(logger.lines).toStrictEqual([
      ['debug', 'event published', { eventId, trace_id }],
      ['debug', 'event consumed', { eventId, trace_id, outcome: 'applied' }],
      ['debug', 'event consumed', { eventId, outcome: 'settled-before' }],
      ['debug', 'event consumed', { eventId, trace_id, outcome: 'retried', code: 'time-up' }],
      ['debug', 'event published again', { eventId, trace_id, attempts: 3 }],
      ['debug', 'event left to the next sweep', { eventId, trace_id }],
    ]);
  });

  it('does not reach the logger at INFO', () => {
    const logger = loggerAt(levels.info);
    pointerLog(logger).published([event]);
    consumeLog(logger).eventOutcome(event, { outcome: 'applied' });
    sweepLog(logger).eventRepublished(event as unknown as StaleEvent);
    sweepLog(logger).eventNotRepublished(event as unknown as StaleEvent);
    expect(logger.lines).toStrictEqual([]);
  });
});

it('the problem of an event is logged at every level', () => {
  const logger = loggerAt(levels.info);
  consumeLog(logger).eventOutcome(event, { outcome: 'dead', code: 'payload-invalid' });
  consumeLog(logger).eventOutcome(event, { outcome: 'conflict', code: 'ownership-conflict', conflicts: 2 });
  sweepLog(logger).eventExhausted(event as unknown as StaleEvent);
  expect(logger.lines).toStrictEqual([
    ['error', 'event dead', { eventId, trace_id, outcome: 'dead', code: 'payload-invalid' }],
    ['warn', 'event in conflict', { eventId, trace_id, outcome: 'conflict', code: 'ownership-conflict', conflicts: 2 }],
    ['error', 'event dead', { eventId, trace_id, outcome: 'dead', code: 'attempts-exhausted' }],
  ]);
});

it('permanently refused pointers are counted, and logged one by one at DEBUG', () => {
  const [info, debug] = [loggerAt(levels.info), loggerAt(levels.debug)];
  pointerLog(info).leftToSweep([event]);
  pointerLog(debug).leftToSweep([event]);
  const counted = ['error', 'pointers left to the sweep', { count: 1 }];
  expect(info.lines).toStrictEqual([counted]);
  expect(debug.lines).toStrictEqual([counted, ['debug', 'event left to the sweep', { eventId, trace_id }]]);
});

it('a malformed trace context is omitted', () => {
  const logger = loggerAt(levels.debug);
  consumeLog(logger).eventOutcome({ eventId, traceparent: 'secret' }, { outcome: 'applied' });
  expect(logger.lines).toStrictEqual([['debug', 'event consumed', { eventId, outcome: 'applied' }]]);
});
