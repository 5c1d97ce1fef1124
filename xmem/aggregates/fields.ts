/** The shapes of fields that XMem's documents share. */
import { z } from 'zod';
import { storedNumber } from '../../exports/outgraph.ts';

/** A text that names something: it stands in a key. */
export const nameText = z.string().min(1);

/** Null and absent mean the same: the property is absent. */
export const optionalText = z.string().nullish();
export const optionalNumber = storedNumber.nullish();
export const optionalBoolean = z.boolean().nullish();

/** A moment, as a text or as a date; it stands as what it is stored as. */
export const optionalMoment = z.union([z.string(), z.date()], 'must be a text or a date').nullish();
