/**
 * A schema for plain numbers reads the double 1.0 as the number 1, which alone would become an
 * INTEGER. The graph must have a FLOAT. To find the numbers that depend on such doubles, the
 * projection runs a second time, with the next greater doubles, and the results are compared.
 */
import { bsonTypeOf } from '../contract/bson-type.ts';

/**
 * Returns the state with the next greater double for each integral one that the schema read as a
 * number from the same place of the payload. Returns `state` itself if there is none.
 */
export function increaseDoubles<State>(state: State, stored: unknown): State;
export function increaseDoubles(state: unknown, stored: unknown): unknown {
  if (typeof state === 'number') {
    const isIntegralDouble = bsonTypeOf(stored) === 'Double' && Number.isSafeInteger(state) && Number(stored) === state;
    return isIntegralDouble ? nextDouble(state) : state;
  }
  return mapPair(state, stored, increaseDoubles);
}

/** Returns what was projected, with a double for each number that differs in `increased`. */
export function keepFloats(projected: unknown, increased: unknown): unknown {
  if (typeof projected === 'number')
    return typeof increased === 'number' && increased !== projected ? new ProjectedDouble(projected) : projected;
  return mapPair(projected, increased, keepFloats);
}

/** A BSON double, without the package, which the small writer does not load for a definition. */
class ProjectedDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  get _bsontype(): 'Double' {
    return 'Double';
  }
}

function nextDouble(value: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value === 0 ? 0 : Math.abs(value));
  bits.setBigUint64(0, bits.getBigUint64(0) + 1n);
  return value < 0 ? -bits.getFloat64(0) : bits.getFloat64(0);
}

/** Maps the values of a plain object or an array with those of another of the same form. */
function mapPair(left: unknown, right: unknown, map: (left: unknown, right: unknown) => unknown): unknown {
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    const values = left.map((value, index) => map(value, right[index]));
    return values.every((value, index) => Object.is(value, left[index])) ? left : values;
  }
  if (!isPlain(left) || !isPlain(right)) return left;
  const fields = Object.entries(left).map(([name, value]) => [name, map(value, right[name])] as const);
  return fields.every(([name, value]) => Object.is(value, left[name])) ? left : Object.fromEntries(fields);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
