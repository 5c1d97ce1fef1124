/**
 * Converts a stored BSON value (or a projection's plain JavaScript value) to a Neo4j property.
 * Integers stay exact to 64 bits, and a BSON double stays a FLOAT even if it is integral. A value
 * that Neo4j cannot store is refused with its path.
 */
import { bsonTypeOf } from './bson-type.ts';
import { Fault } from './fault.ts';
import { isGeometry, toPoint } from './geojson-point.ts';
import type { GraphScalar, GraphValue, KeyValue } from './subgraph.ts';

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** A scalar and its kind. A list holds only one kind, or only numbers. */
interface Scalar {
  readonly kind:
    | 'string'
    | 'boolean'
    | 'integer'
    | 'float'
    | 'number'
    | 'date'
    | 'objectId'
    | 'uuid'
    | 'point'
    | 'point with an altitude';
  readonly value: GraphScalar;
}

/**
 * Returns the property value of `raw`, or undefined if the property is absent (null).
 *
 * @param path of the value, for the error: `nodes[0].properties.address`.
 * @throws Fault `value-unsupported` for a nested object, a nested array, an array of several types,
 * null in an array, a geometry that is no point, Decimal128, binary and other types.
 * @example
 * toGraphValue(new Double(1), 'nodes[0].properties.score'); // 1 (FLOAT)
 * toGraphValue(1, 'nodes[0].properties.count'); // 1n (INTEGER)
 */
export function toGraphValue(raw: unknown, path: string): GraphValue | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (Array.isArray(raw)) return toList(raw, path);
  return settleNumber(toScalar(raw, path));
}

/**
 * Returns the key value of `raw`.
 *
 * @throws Fault `key-invalid` unless it is a string (or converts to one: ObjectId, UUID), an
 * integer or a boolean.
 */
export function toKeyValue(raw: unknown, path: string): KeyValue {
  const value = scalarOrUndefined(raw, path);
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  throw new Fault(
    'key-invalid',
    `${path}: a key value must be a string, an integer or a boolean, not ${describe(raw)}.`,
  );
}

function scalarOrUndefined(raw: unknown, path: string): GraphScalar | undefined {
  try {
    return settleNumber(toScalar(raw, path));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function toList(raw: readonly unknown[], path: string): readonly GraphScalar[] {
  const scalars = raw.map((element, index) => toScalar(element, `${path}[${index}]`));
  const first = scalars[0];
  if (first === undefined) return [];
  const mixed = scalars.findIndex((scalar) => !isAlike(scalar, first));
  if (mixed !== -1) {
    throw new Fault(
      'value-unsupported',
      `${path}[${mixed}]: an array must hold one type, and this element is not ${kindText(first.kind)} like the first.`,
    );
  }
  return isNumber(first) ? toNumbers(scalars.map(settleNumber), path) : scalars.map((scalar) => scalar.value);
}

/**
 * All kinds of numbers are alike, because JavaScript writes `[0.1, 0]` as a double and an int32.
 */
function isAlike(left: Scalar, right: Scalar): boolean {
  return left.kind === right.kind || (isNumber(left) && isNumber(right));
}

function isNumber({ kind }: Scalar): boolean {
  return kind === 'integer' || kind === 'float' || kind === 'number';
}

/** Returns integers, or doubles if any of them is a double. */
function toNumbers(numbers: readonly GraphScalar[], path: string): readonly GraphScalar[] {
  if (numbers.every((number) => typeof number === 'bigint')) return numbers;
  return numbers.map((number, index) => {
    const double = Number(number);
    if (typeof number !== 'bigint' || BigInt(double) === number) return double;
    throw new Fault(
      'value-unsupported',
      `${path}[${index}]: in an array with doubles, an integer must be exact as a ` +
        'double; store the elements as integers, or all of them as doubles.',
    );
  });
}

/**
 * A plain JavaScript number has no BSON type. A safe integer becomes an INTEGER, any other a FLOAT.
 */
function settleNumber(scalar: Scalar): GraphScalar {
  return scalar.kind === 'number' && Number.isSafeInteger(scalar.value) ? BigInt(scalar.value as number) : scalar.value;
}

function toScalar(raw: unknown, path: string): Scalar {
  switch (typeof raw) {
    case 'string':
      return { kind: 'string', value: raw };
    case 'boolean':
      return { kind: 'boolean', value: raw };
    case 'number':
      return { kind: 'number', value: raw };
    case 'bigint':
      if (raw < int64Min || raw > int64Max) throw unsupported(path, 'an integer beyond 64 bits');
      return { kind: 'integer', value: raw };
    case 'object':
      return objectScalar(raw, path);
    default:
      throw unsupported(path, describe(raw));
  }
}

function objectScalar(raw: object | null, path: string): Scalar {
  if (raw instanceof Date) {
    if (Number.isNaN(raw.getTime())) throw unsupported(path, 'a date outside the range of JavaScript dates');
    return { kind: 'date', value: raw };
  }
  switch (bsonTypeOf(raw)) {
    case 'Int32':
      return { kind: 'integer', value: BigInt((raw as { value: number }).value) };
    case 'Long':
      return { kind: 'integer', value: (raw as unknown as { toBigInt(): bigint }).toBigInt() };
    case 'Double':
      return { kind: 'float', value: (raw as { value: number }).value };
    case 'ObjectId':
      return { kind: 'objectId', value: (raw as { toHexString(): string }).toHexString() };
    case 'Binary': {
      const uuid = uuidText(raw as BinaryLike);
      if (uuid === null) throw unsupported(path, describe(raw));
      return { kind: 'uuid', value: uuid };
    }
    default: {
      if (raw === null || !isGeometry(raw)) throw unsupported(path, describe(raw));
      const value = toPoint(raw, path);
      return { kind: value.altitude === null ? 'point' : 'point with an altitude', value };
    }
  }
}

interface BinaryLike {
  readonly sub_type: number;
  readonly position: number;
  readonly buffer: Uint8Array;
}

/**
 * Returns the text of a UUID; null for any other binary value. It supports only subtype 4, because
 * the byte order of the older subtype 3 differs between drivers.
 */
export function uuidText(binary: BinaryLike): string | null {
  if (binary.sub_type !== 4 || binary.position !== 16) return null;
  const hex = Buffer.from(binary.buffer.subarray(0, 16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function describe(raw: unknown): string {
  if (raw === null) return 'null';
  if (raw === undefined) return 'undefined';
  if (Array.isArray(raw)) return 'an array';
  if (raw instanceof Date) return 'a date';
  if (typeof raw !== 'object') return `a ${typeof raw}`;
  return bsonTypeOf(raw) ?? 'a nested object';
}

function unsupported(path: string, what: string): Fault {
  return new Fault(
    'value-unsupported',
    `${path}: ${what} cannot be a property value; ` +
      'use a string, boolean, integer, double, date, ObjectId, UUID, GeoJSON Point, or an array of one of these.',
  );
}

function kindText(kind: Scalar['kind']): string {
  return kind === 'integer' || kind === 'objectId' ? `an ${kind}` : `a ${kind}`;
}
