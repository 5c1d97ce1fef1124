import { createPublisherHandler } from '../../exports/handlers.ts';

export const handler = createPublisherHandler();
