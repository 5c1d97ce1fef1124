/** The publisher. */
import { createPublisherHandler } from '../lib/handlers/publisher.ts';

export const handler = createPublisherHandler();
