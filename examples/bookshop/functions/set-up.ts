import { createSetUpHandler } from 'outgraph/handlers';
import { catalog } from '../aggregates/catalog.ts';

export const handler = createSetUpHandler(catalog);
