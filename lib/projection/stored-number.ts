/** Schemas for numbers in a payload. */
import { z } from 'zod';
import { bsonTypeOf } from '../contract/bson-type.ts';
import type { BsonValue } from '../contract/subgraph.ts';

/**
 * A number as BSON stores it (`Int32`, `Long`, `Double`), or a JavaScript number.
 *
 * @example
 * const withTax = (price: StoredNumber) => Number(price) * 1.2;
 */
export type StoredNumber = number | bigint | (BsonValue<'Int32' | 'Long' | 'Double'> & { toString(): string });

/**
 * The schema of a number of any stored type, which keeps the stored value. Use it for integers
 * beyond 2^53 among other numbers: `z.number()` reads a JavaScript number, and refuses them.
 *
 * Pass the value to the graph unchanged, so that a double stays a FLOAT and a 64-bit integer stays
 * exact. Use `Number(value)` to calculate with it.
 *
 * @example
 * const payload = z.object({ price: storedNumber, embedding: z.array(storedNumber).optional() });
 */
export const storedNumber = z.custom<StoredNumber>(
  (value) =>
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    ['Int32', 'Long', 'Double'].includes(bsonTypeOf(value) ?? ''),
  'must be a number',
);
