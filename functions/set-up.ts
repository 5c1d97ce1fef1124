/** The set-up Lambda for the catalog. It runs with every deployment. */

import { createSetUpHandler } from '../lib/set-up/handler.ts';
import { catalog } from './catalog.ts';

export const handler = createSetUpHandler(catalog);
