/** The set-up for the built-in aggregate types: runs with every deployment. */
import { aggregates } from '../lib/aggregates/catalog.ts';
import { createSetUpHandler } from '../lib/handlers/set-up.ts';

export const handler = createSetUpHandler(aggregates);
