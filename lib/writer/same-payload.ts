/** Whether two states of a document are one to the projection. */
import { BSON, type Document } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { isDataFault } from '../contract/fault.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import { parsePayload } from '../projection/project.ts';

/**
 * Whether the payload's schema reads the same from both documents. False in doubt: if it refuses one
 * of them, or returns objects whose contents cannot be compared.
 */
export function isSamePayload<State>(
  definition: Pick<AggregateDefinition<State>, 'type' | 'payload'>,
  before: Document,
  after: Document,
): boolean {
  try {
    return isSame(parsePayload(definition, before), parsePayload(definition, after));
  } catch (error) {
    if (isDataFault(error)) return false;
    throw error;
  }
}

/** The order of fields counts, because a projection may list them. */
function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (bsonTypeOf(left) !== undefined || left instanceof Uint8Array) return isSameStored(left, right);
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime();
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  if (!isPlain(left) || !isPlain(right)) return false;
  const [fields, others] = [Object.entries(left), Object.entries(right)];
  return (
    fields.length === others.length &&
    fields.every(([name, value], index) => name === others[index]?.[0] && isSame(value, others[index]?.[1]))
  );
}

function isSameStored(left: object, right: object): boolean {
  return Buffer.compare(BSON.serialize({ value: left }), BSON.serialize({ value: right })) === 0;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
