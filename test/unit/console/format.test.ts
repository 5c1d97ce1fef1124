import { expect, it } from 'vitest';
import { counted, duration, relative } from '../../../console/page/format.ts';

it.each([
  [0, '0 ms'],
  [12.4, '12 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [3_450, '3.5 s'],
  [95_000, '95 s'],
  [300_000, '5 min'],
  [7_200_000, '2 h'],
  [7_500_000, '2 h 5 min'],
  [200_000_000, '2 days'],
])('%d ms is "%s"', (millis, text) => {
  expect(duration(millis)).toBe(text);
});

it('formats a relative time', () => {
  const now = '2026-11-25T12:00:00Z';
  expect(relative('2026-11-25T11:55:00Z', now)).toBe('5 min ago');
  expect(relative('2026-11-25T12:00:11Z', now)).toBe('in 11 s');
  expect(relative('2026-11-25T11:59:59Z', now)).toBe('just now');
});

it('formats a count with its noun', () => {
  expect(counted(1, 'event')).toBe('1 event');
  expect(counted(0, 'event')).toBe('0 events');
  expect(counted(1_204, 'event')).toBe('1,204 events');
});
