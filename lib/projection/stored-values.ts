/** The shapes of fields that XMem's documents share: numbers as BSON stores them, and what may be left out. */
import { z } from 'zod';
import { bsonTypeOf } from '../contract/bson-type.ts';

/** A number as BSON stores it (`Int32`, `Long`, `Double`), or as JavaScript has it. */
export type StoredNumber = number | bigint | { toString(): string };

/**
 * The schema of a number in a payload. `z.number()` refuses what is stored, because a payload keeps the BSON types: pass the value on to the graph as it is, so that a double stays a
 * FLOAT and a 64-bit integer exact, or take `Number(value)` to calculate with it.
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

/** A text that names something: it stands in a key. */
export const nameText = z.string().min(1);

/** Null and absent mean the same: the property is absent. */
export const optionalText = z.string().nullish();
export const optionalNumber = storedNumber.nullish();
export const optionalBoolean = z.boolean().nullish();

/** A moment, as a text or as a date; it stands as what it is stored as. */
export const optionalMoment = z.union([z.string(), z.date()], 'must be a text or a date').nullish();
