/** `outgraph/handlers`: creates the Lambda handlers of publisher, consumer, sweep and set-up. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export { createConsumerHandler } from '../lib/consumer/handler.ts';
export { createPublisherHandler } from '../lib/publisher/handler.ts';
export { createSetUpHandler } from '../lib/set-up/handler.ts';
export { createSweepHandler } from '../lib/sweep/handler.ts';
