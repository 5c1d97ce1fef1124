import { expect, it } from 'vitest';
import { valueText } from '../../../cli/show/element-text.ts';
import { plainProperties } from '../../../cli/show/plain-values.ts';

const date = new Date('2026-11-25T12:00:00Z');
const longMax = 9_223_372_036_854_775_807n;

it('every graph value can be written as JSON, exactly and unambiguously', () => {
  const values = { a: 1n, b: longMax, c: [1.5, Number.NaN], d: date, e: '1', f: 1, g: [-longMax, 3n], h: -0, i: true };
  const points = {
    flat: { longitude: 7.5, latitude: 45, altitude: null },
    high: { longitude: 1, latitude: 2, altitude: 3 },
  };
  expect(plainProperties(points)).toStrictEqual({
    flat: { type: 'Point', coordinates: [7.5, 45] },
    high: { type: 'Point', coordinates: [1, 2, 3] },
  });
  expect(JSON.parse(JSON.stringify(plainProperties(values)))).toStrictEqual({
    a: 1,
    b: { $numberLong: '9223372036854775807' },
    c: [1.5, { $numberDouble: 'NaN' }],
    d: { $date: '2026-11-25T12:00:00.000Z' },
    e: '1',
    f: { $numberDouble: '1.0' },
    g: [{ $numberLong: '-9223372036854775807' }, 3],
    h: { $numberDouble: '-0.0' },
    i: true,
  });
});

it('numbers, texts and dates look different as text', () => {
  const values = [longMax, `${longMax}`, 17n, 17, '17', date, date.toISOString(), [1n, 2n], true, 'true'];
  expect(values.map(valueText)).toStrictEqual([
    '9223372036854775807',
    '"9223372036854775807"',
    '17',
    '17.0',
    '"17"',
    '2026-11-25T12:00:00.000Z',
    '"2026-11-25T12:00:00.000Z"',
    '[1, 2]',
    'true',
    '"true"',
  ]);
});

it('a point looks as a query creates it', () => {
  expect(valueText({ longitude: 7.5, latitude: 45, altitude: null })).toBe('point({longitude: 7.5, latitude: 45})');
  expect(valueText([{ longitude: 1, latitude: 2, altitude: 3 }])).toBe(
    '[point({longitude: 1, latitude: 2, height: 3})]',
  );
});
