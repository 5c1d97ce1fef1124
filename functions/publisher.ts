/** The publisher Lambda. */
import { createPublisherHandler } from '../lib/publisher/handler.ts';

export const handler = createPublisherHandler();
