/** The consumer of the built-in aggregate types. */

import { createConsumerHandler } from '../lib/consumer/handler.ts';
import { aggregates } from './catalog.ts';

export const handler = createConsumerHandler(aggregates);
