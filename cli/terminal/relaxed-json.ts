/** Formats a stored value as relaxed Extended JSON, for people. */
import { BSON } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';

/**
 * Expects a value that was read with `exactTypes`. An integer beyond JavaScript's safe range keeps
 * its digits. The library would convert a document with a field `_bsontype` to a value of that
 * type, or throw. Here the field is data.
 */
export function toRelaxedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toRelaxedJson);
  if (typeof value !== 'object' || value === null) return value;
  if (bsonTypeOf(value) === 'Long' && !Number.isSafeInteger(Number(value))) return { $numberLong: String(value) };
  if (value instanceof Date || bsonTypeOf(value) !== undefined)
    return BSON.EJSON.serialize({ value }, { relaxed: true }).value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toRelaxedJson(inner)]));
}
