import { createConsumerHandler } from '../../exports/handlers.ts';
import { catalog } from '../catalog.ts';

export const handler = createConsumerHandler(catalog);
