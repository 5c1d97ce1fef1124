import { createPublisherHandler } from 'outgraph/handlers';

export const handler = createPublisherHandler();
