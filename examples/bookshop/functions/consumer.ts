import { createConsumerHandler } from 'outgraph/handlers';
import { catalog } from '../aggregates/catalog.ts';

export const handler = createConsumerHandler(catalog);
