/** The consumer Lambda for the catalog. */

import { createConsumerHandler } from '../lib/consumer/handler.ts';
import { catalog } from './catalog.ts';

export const handler = createConsumerHandler(catalog);
