import { createSweepHandler } from '../../exports/handlers.ts';

export const handler = createSweepHandler();
