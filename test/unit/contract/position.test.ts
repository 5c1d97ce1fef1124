import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromPosition, positionTime, toPosition } from '../../../lib/contract/position.ts';

const half = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('a position', () => {
  it('compares as text like its unsigned number, even after 2038', () => {
    fc.assert(
      fc.property(half, half, half, half, (t1, i1, t2, i2) => {
        const number = (t: number, i: number) => (BigInt(t) << 32n) | BigInt(i);
        expect(toPosition({ t: t1, i: i1 }) < toPosition({ t: t2, i: i2 })).toBe(number(t1, i1) < number(t2, i2));
      }),
    );
  });

  it('can be converted back into its halves', () => {
    fc.assert(
      fc.property(half, half, (t, i) => {
        expect(fromPosition(toPosition({ t, i }))).toStrictEqual({ t, i });
      }),
    );
  });

  it('orders the seconds before and after the end of signed 32-bit time', () => {
    const last = Math.floor(Date.parse('2038-01-19T03:14:07Z') / 1000);
    expect(toPosition({ t: last, i: 5 }) < toPosition({ t: last + 1, i: 1 })).toBe(true);
  });

  it('contains the second in which the event was recorded', () => {
    expect(positionTime(toPosition({ t: 1_700_000_000, i: 9 })).toISOString()).toBe('2023-11-14T22:13:20.000Z');
  });
});
