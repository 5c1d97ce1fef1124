import { Double, Int32, Long } from 'mongodb';
import { expect, it } from 'vitest';
import { toRelaxedJson } from '../../../cli/terminal/relaxed-json.ts';

it('an integer that JavaScript has no number for keeps its digits, wherever it stands', () => {
  const most = Long.MAX_VALUE;
  expect(toRelaxedJson({ a: most, b: [Long.fromNumber(7), most], c: new Int32(7), d: new Double(7.5) })).toStrictEqual({
    a: { $numberLong: '9223372036854775807' },
    b: [7, { $numberLong: '9223372036854775807' }],
    c: 7,
    d: 7.5,
  });
});
