/** The shapes of fields that XMem's documents share. */
import { z } from 'zod';
import { storedNumber } from '../../exports/outgraph.ts';

/** A text for a key. It must not be empty. */
export const nameText = z.string().min(1);

/** Null and absent mean the same: the property is absent. */
export const optionalText = z.string().nullish();
export const optionalNumber = storedNumber.nullish();
export const optionalBoolean = z.boolean().nullish();

/** A moment, as a text or as a date. The graph keeps the stored type. */
export const optionalMoment = z.union([z.string(), z.date()], 'must be a text or a date').nullish();
