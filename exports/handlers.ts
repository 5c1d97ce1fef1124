/** `outgraph/handlers`: the Lambda handlers of publisher, consumer, sweep and set-up. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the files behind them may move.
export { createConsumerHandler } from '../lib/handlers/consumer.ts';
export { createPublisherHandler } from '../lib/handlers/publisher.ts';
export { createSetUpHandler } from '../lib/handlers/set-up.ts';
export { createSweepHandler } from '../lib/handlers/sweep.ts';
