/**
 * Lets a schema for plain numbers read stored ones. A schema receives the stored values first, which
 * are exact. Where it refuses an `Int32`, `Long` or `Double`, it receives a number; where it refuses
 * that too, the bigint of an integer.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Document } from 'bson';
import { bsonTypeOf } from '../contract/bson-type.ts';

/** Paths of the values that a schema refused. */
interface Refused {
  /** Also every value below. */
  whole: boolean;
  readonly fields: Map<PropertyKey, Refused>;
}

type Convert = (stored: unknown) => number | bigint | undefined;

/** Returns the result for the most exact form of each number that the schema accepts. */
export function validateNumbers<State>(
  validate: (payload: unknown) => StandardSchemaV1.Result<State>,
  payload: Document,
): StandardSchemaV1.Result<State> {
  const asNumbers = retry(validate, payload, { read: payload, result: validate(payload) }, toNumber);
  const asIntegers = retry(validate, payload, asNumbers, toBigint);
  return asIntegers.result.issues === undefined ? asIntegers.result : asNumbers.result;
}

/** Whether the value is an integer that a JavaScript number cannot hold exactly. */
export function isUnsafeLong(stored: unknown): boolean {
  return bsonTypeOf(stored) === 'Long' && toNumber(stored) === undefined;
}

interface Attempt<State> {
  readonly read: unknown;
  readonly result: StandardSchemaV1.Result<State>;
}

/** Each attempt may show further problems, such as those of an object whose discriminator is read. */
function retry<State>(
  validate: (payload: unknown) => StandardSchemaV1.Result<State>,
  payload: Document,
  { read, result }: Attempt<State>,
  convert: Convert,
): Attempt<State> {
  if (result.issues === undefined) return { read, result };
  const next = convertRefused(read, payload, refusedBy(result.issues), convert);
  return next === read ? { read, result } : retry(validate, payload, { read: next, result: validate(next) }, convert);
}

function refusedBy(issues: readonly StandardSchemaV1.Issue[]): Refused {
  const root: Refused = { whole: false, fields: new Map() };
  for (const { path = [] } of issues) {
    let refused = root;
    for (const part of path) {
      const name = typeof part === 'object' ? part.key : part;
      const field = refused.fields.get(name) ?? { whole: false, fields: new Map() };
      refused.fields.set(name, field);
      refused = field;
    }
    refused.whole = true;
  }
  return root;
}

/** Returns `read` itself if nothing in it is converted. */
function convertRefused(read: unknown, stored: unknown, { whole, fields }: Refused, convert: Convert): unknown {
  const converted = whole ? convert(stored) : undefined;
  if (converted !== undefined) return converted;
  if (typeof read !== 'object' || read === null || bsonTypeOf(read) !== undefined || read instanceof Date) return read;
  const names = whole ? Object.keys(read) : [...fields.keys()].filter((name) => Object.hasOwn(read, name));
  const below = (name: PropertyKey) => (whole ? { whole, fields } : (fields.get(name) as Refused));
  const changes = names.flatMap((name) => {
    const value = (read as Record<PropertyKey, unknown>)[name];
    const next = convertRefused(value, (stored as Record<PropertyKey, unknown>)[name], below(name), convert);
    return Object.is(next, value) ? [] : [[name, next] as const];
  });
  if (changes.length === 0) return read;
  return Object.assign(Array.isArray(read) ? [...read] : { ...read }, Object.fromEntries(changes));
}

/** A number that is exact. A double always is. */
function toNumber(stored: unknown): number | undefined {
  const type = bsonTypeOf(stored);
  if (type !== 'Int32' && type !== 'Long' && type !== 'Double') return undefined;
  const number = Number(stored);
  return type === 'Double' || Number.isSafeInteger(number) ? number : undefined;
}

function toBigint(stored: unknown): bigint | undefined {
  const type = bsonTypeOf(stored);
  return type === 'Int32' || type === 'Long' ? BigInt(String(stored)) : undefined;
}
