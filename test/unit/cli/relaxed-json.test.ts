import { Double, Int32, Long } from 'mongodb';
import { expect, it } from 'vitest';
import { toRelaxedJson } from '../../../cli/terminal/relaxed-json.ts';

it('an integer beyond the range of JavaScript keeps its digits, at any depth', () => {
  const longMax = Long.MAX_VALUE;
  expect(
    toRelaxedJson({ a: longMax, b: [Long.fromNumber(7), longMax], c: new Int32(7), d: new Double(7.5) }),
  ).toStrictEqual({
    a: { $numberLong: '9223372036854775807' },
    b: [7, { $numberLong: '9223372036854775807' }],
    c: 7,
    d: 7.5,
  });
});
