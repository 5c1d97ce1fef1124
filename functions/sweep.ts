/** The sweep Lambda. */
import { createSweepHandler } from '../lib/sweep/handler.ts';

export const handler = createSweepHandler();
