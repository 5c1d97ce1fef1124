/** The consumer of the built-in aggregate types. */
import { aggregates } from '../lib/aggregates/catalog.ts';
import { createConsumerHandler } from '../lib/handlers/consumer.ts';

export const handler = createConsumerHandler(aggregates);
