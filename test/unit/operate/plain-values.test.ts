import { expect, it } from 'vitest';
import { plainValues } from '../../../lib/operate/show/plain-values.ts';

it('whatever the graph may hold can be written as JSON, and stays exact', () => {
  const date = new Date('2026-11-25T12:00:00Z');
  const values = { a: 1n, b: 2n ** 60n, c: [1.5, Number.NaN], d: date, e: { f: null, g: [3n] } };
  expect(plainValues(values)).toStrictEqual({
    a: 1,
    b: '1152921504606846976',
    c: [1.5, 'NaN'],
    d: date,
    e: { f: null, g: [3] },
  });
});
