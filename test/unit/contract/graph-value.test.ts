import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGraphValue, toKeyValue } from '../../../lib/contract/graph-value.ts';

const path = 'nodes[0].properties.x';

describe('a property value', () => {
  it.each([
    ['a string', 'text', 'text'],
    ['a boolean', false, false],
    ['an int32 as INTEGER', new Int32(7), 7n],
    ['an int64 beyond 2^53 exactly', Long.fromString('9007199254740993'), 9007199254740993n],
    ['the smallest int64', Long.MIN_VALUE, -(2n ** 63n)],
    ['an integral double as FLOAT', new Double(1), 1],
    ['a plain integral number as INTEGER', 3, 3n],
    ['a plain fraction as FLOAT', 0.5, 0.5],
    ['a plain number beyond the safe integers as FLOAT', 2 ** 60, 2 ** 60],
    ['an objectId as its hexadecimal digits', new ObjectId('66a0c0ffee0123456789abcd'), '66a0c0ffee0123456789abcd'],
    ['a UUID as its text', new UUID('00112233-4455-6677-8899-aabbccddeeff'), '00112233-4455-6677-8899-aabbccddeeff'],
    ['null as absent', null, undefined],
    ['an empty array', [], []],
    ['int32 and int64 together as INTEGERs', [new Int32(1), Long.fromNumber(2)], [1n, 2n]],
    ['plain numbers with a fraction as FLOATs', [1, 0.5], [1, 0.5]],
    ['plain integral numbers as INTEGERs', [1, 2], [1n, 2n]],
  ])('takes %s', (_, raw, value) => {
    expect(toGraphValue(raw, path)).toStrictEqual(value);
  });

  it('keeps a date to the millisecond', () => {
    const date = new Date('2024-02-29T12:34:56.789Z');
    expect(toGraphValue(date, path)).toStrictEqual(date);
  });

  it.each([
    ['a nested object', { street: 'x' }, path],
    ['a mixed array', ['a', new Int32(1)], `${path}[1]`],
    ['an integer among doubles', [new Double(0.5), new Int32(1)], `${path}[1]`],
    ['null in an array', ['a', null], `${path}[1]`],
    ['an array in an array', [['a']], `${path}[0]`],
    ['a Decimal128', Decimal128.fromString('1.5'), path],
    ['binary data', new Binary(new Uint8Array([1, 2])), path],
    ['an invalid date', new Date(Number.NaN), path],
    ['an integer beyond 64 bits', 2n ** 63n, path],
  ])('refuses %s and names its path', (_, raw, where) => {
    expect(() => toGraphValue(raw, path)).toThrow(
      expect.objectContaining({ code: 'value-unsupported', message: expect.stringContaining(`${where}: `) }),
    );
  });

  it('never changes a 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (integer) => {
        expect(toGraphValue(Long.fromBigInt(integer), path)).toBe(integer);
      }),
    );
  });
});

describe('a key value', () => {
  it('may be a string, an integer or a boolean', () => {
    expect([toKeyValue('a', path), toKeyValue(new Int32(1), path), toKeyValue(true, path)]).toStrictEqual([
      'a',
      1n,
      true,
    ]);
  });

  it.each([
    ['a double', new Double(1)],
    ['a fraction', 0.5],
    ['a date', new Date(0)],
    ['null', null],
    ['an array', ['a']],
    ['an object', { a: 1 }],
  ])('may not be %s', (_, raw) => {
    expect(() => toKeyValue(raw, path)).toThrow(
      expect.objectContaining({ code: 'key-invalid', message: expect.stringContaining(path) }),
    );
  });
});
