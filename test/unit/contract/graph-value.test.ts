import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toGraphValue, toKeyValue } from '../../../lib/contract/graph-value.ts';

const path = 'nodes[0].properties.x';
const point = (...coordinates: unknown[]) => ({ type: 'Point', coordinates });

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
    ['undefined as absent', undefined, undefined],
    ['the limits of 64 bits', [-(2n ** 63n), 2n ** 63n - 1n], [-(2n ** 63n), 2n ** 63n - 1n]],
    ['texts in a list', ['a', ''], ['a', '']],
    ['a bigint and an int32 together', [1n, new Int32(2)], [1n, 2n]],
    ['integral doubles in a list as FLOATs', [new Double(1), new Double(2)], [1, 2]],
    ['an empty array', [], []],
    ['int32 and int64 together as INTEGERs', [new Int32(1), Long.fromNumber(2)], [1n, 2n]],
    ['plain numbers with a fraction as FLOATs', [1, 0.5], [1, 0.5]],
    ['plain integral numbers as INTEGERs', [1, 2], [1n, 2n]],
    [
      'the numbers that JavaScript stores for [0.1, 0, 1] as FLOATs',
      [new Double(0.1), new Int32(0), new Int32(1)],
      [0.1, 0, 1],
    ],
    ['integers before a double as FLOATs', [new Int32(1), Long.fromNumber(2), new Double(3)], [1, 2, 3]],
    ['the greatest integers that are exact as doubles', [2n ** 53n, -(2n ** 63n), 0.5], [2 ** 53, -(2 ** 63), 0.5]],
    ['plain and stored numbers together', [1, new Int32(2), new Double(3), 4n], [1, 2, 3, 4]],
    ['a point', point(1.5, new Int32(2)), { longitude: 1.5, latitude: 2, altitude: null }],
    ['a point with an altitude', point(-0, new Double(90), 3), { longitude: -0, latitude: 90, altitude: 3 }],
    ['points', [point(1, 2)], [{ longitude: 1, latitude: 2, altitude: null }]],
    ['plain and stored integers together', [1, new Int32(2), 3n], [1n, 2n, 3n]],
  ])('accepts %s', (_, raw, value) => {
    expect(toGraphValue(raw, path)).toStrictEqual(value);
  });

  it('keeps a date to the millisecond', () => {
    const date = new Date('2024-02-29T12:34:56.789Z');
    expect(toGraphValue(date, path)).toStrictEqual(date);
  });

  it.each([
    ['a nested object', { street: 'x' }, '', 'a nested object'],
    ['an object with a false BSON type', { _bsontype: 5 }, '', 'a nested object'],
    ['null in an array', ['a', null], '[1]', 'null'],
    ['undefined in an array', ['a', undefined], '[1]', 'undefined'],
    ['an array in an array', [['a']], '[0]', 'an array'],
    ['a function', () => 'a', '', 'a function'],
    ['a Decimal128', Decimal128.fromString('1.5'), '', 'Decimal128'],
    ['binary data', new Binary(new Uint8Array(16)), '', 'Binary'],
    ['a UUID that is too short', new Binary(new Uint8Array(15), 4), '', 'Binary'],
    ['a geometry of an unknown type', { type: 'Circle', coordinates: [1, 2] }, '', 'a nested object'],
    ['an invalid date', new Date(Number.NaN), '', 'a date outside the range of JavaScript dates'],
    ['an integer beyond 64 bits', 2n ** 63n, '', 'an integer beyond 64 bits'],
    ['an integer below 64 bits', -(2n ** 63n) - 1n, '', 'an integer beyond 64 bits'],
  ])('refuses %s, with its path and type', (_, raw, where, what) => {
    expect(() => toGraphValue(raw, path)).toThrow(
      expect.objectContaining({
        code: 'value-unsupported',
        message: expect.stringContaining(`${path}${where}: ${what} cannot be a property value; use `),
      }),
    );
  });

  it.each([
    ['a string', 'a'],
    ['a boolean', true],
    ['an integer', new Int32(1)],
    ['a number', 1],
    ['a float', new Double(1)],
    ['a date', new Date(0)],
    ['an objectId', new ObjectId()],
    ['a uuid', new UUID()],
  ])('refuses an array that starts with %s and continues with another type', (what, first) => {
    const other = what === 'a string' ? new Int32(1) : 'a';
    expect(() => toGraphValue([first, other], path)).toThrow(
      expect.objectContaining({
        code: 'value-unsupported',
        message: `${path}[1]: an array must hold one type, and this element is not ${what} like the first.`,
      }),
    );
  });

  it.each([
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 53n) - 1n,
  ])('refuses %s among doubles, because it is not exact as a double', (integer) => {
    expect(() => toGraphValue([new Double(0.5), integer], path)).toThrow(
      expect.objectContaining({
        code: 'value-unsupported',
        message: expect.stringContaining(`${path}[1]: in an array with doubles, an integer must be exact as a double`),
      }),
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
  it('can be a string, an integer or a boolean', () => {
    expect(toKeyValue('a', path)).toBe('a');
    expect(toKeyValue(new Int32(1), path)).toStrictEqual(1n);
    expect(toKeyValue(true, path)).toBe(true);
  });

  it.each([
    ['Double', new Double(1)],
    ['a number', 0.5],
    ['a date', new Date(0)],
    ['null', null],
    ['undefined', undefined],
    ['an array', ['a']],
    ['a nested object', { a: 1 }],
  ])('cannot be %s', (what, raw) => {
    expect(() => toKeyValue(raw, path)).toThrow(
      expect.objectContaining({
        code: 'key-invalid',
        message: `${path}: a key value must be a string, an integer or a boolean, not ${what}.`,
      }),
    );
  });

  it('that fails in another way is not reported as invalid', () => {
    const broken = Object.assign(Long.fromNumber(1), {
      toBigInt: () => {
        throw new RangeError('broken');
      },
    });
    expect(() => toKeyValue(broken, path)).toThrow(RangeError);
  });
});

describe('a GeoJSON value', () => {
  it.each([
    [
      'a longitude beyond 180',
      point(-180.1, 2),
      '.coordinates[0]',
      'the longitude of a GeoJSON Point must be a number from -180 to 180',
    ],
    [
      'a latitude beyond 90',
      point(1, 90.1),
      '.coordinates[1]',
      'the latitude of a GeoJSON Point must be a number from -90 to 90',
    ],
    ['NaN', point(Number.NaN, 2), '.coordinates[0]', 'the longitude'],
    [
      'an infinite altitude',
      point(1, 2, Number.POSITIVE_INFINITY),
      '.coordinates[2]',
      'the altitude of a GeoJSON Point must be a finite number',
    ],
    ['a text', point(1, '2'), '.coordinates[1]', 'the latitude'],
    ['null', point(null, 2), '.coordinates[0]', 'the longitude'],
    ['a Decimal128', point(Decimal128.fromString('1'), 2), '.coordinates[0]', 'the longitude'],
    ['one coordinate', point(1), '.coordinates', 'a GeoJSON Point has an array of two or three numbers'],
    ['four coordinates', point(1, 2, 3, 4), '.coordinates', 'a GeoJSON Point has an array of two or three numbers'],
    ['no coordinates', { type: 'Point' }, '.coordinates', 'a GeoJSON Point has an array of two or three numbers'],
    ['another field', { ...point(1, 2), bbox: [] }, '', 'a GeoJSON Point with the field bbox'],
    [
      'another geometry',
      { type: 'Polygon', coordinates: [] },
      '',
      'a GeoJSON Polygon cannot be a property value; use a Point',
    ],
  ])('is refused with its path and the reason: %s', (_, raw, where, reason) => {
    expect(() => toGraphValue(raw, path)).toThrow(
      expect.objectContaining({
        code: 'value-unsupported',
        message: expect.stringContaining(`${path}${where}: ${reason}`),
      }),
    );
  });

  it('is refused in a list with points of other dimensions, and as a key', () => {
    expect(() => toGraphValue([point(1, 2), point(1, 2, 3)], path)).toThrow(`${path}[1]: an array must hold one type`);
    expect(() => toKeyValue(point(1, 2), path)).toThrow(expect.objectContaining({ code: 'key-invalid' }));
  });
});
