/** The set-up for the built-in aggregate types: runs with every deployment. */

import { createSetUpHandler } from '../lib/set-up/handler.ts';
import { aggregates } from './catalog.ts';

export const handler = createSetUpHandler(aggregates);
