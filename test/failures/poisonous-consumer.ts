/** The consumer with the poisonous catalog. */
import { createConsumerHandler } from '../../lib/consumer/handler.ts';
import { catalog } from './poisonous-catalog.ts';

export const handler = createConsumerHandler(catalog);
