/** A stored value as relaxed Extended JSON, for people. */
import { BSON } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';

/**
 * Read with `exactTypes`. An integer that JavaScript's numbers cannot hold keeps its digits. Of a document that has a
 * field `_bsontype`, the library would make a value of that type, or throw: here it is data.
 */
export function toRelaxedJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toRelaxedJson);
  if (typeof value !== 'object' || value === null) return value;
  if (bsonTypeOf(value) === 'Long' && !Number.isSafeInteger(Number(value))) return { $numberLong: String(value) };
  if (value instanceof Date || bsonTypeOf(value) !== undefined)
    return BSON.EJSON.serialize({ value }, { relaxed: true }).value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toRelaxedJson(inner)]));
}
