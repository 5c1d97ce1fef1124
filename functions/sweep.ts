/** The sweep. */
import { createSweepHandler } from '../lib/handlers/sweep.ts';

export const handler = createSweepHandler();
