/** The sweep. */
import { createSweepHandler } from '../lib/sweep/handler.ts';

export const handler = createSweepHandler();
