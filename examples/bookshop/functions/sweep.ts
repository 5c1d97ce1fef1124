import { createSweepHandler } from 'outgraph/handlers';

export const handler = createSweepHandler();
