/** The built-in aggregate type of the sweep's canaries: whatever the payload, its subgraph is empty. */
import { z } from 'zod';
import { canaryAggregate } from '../contract/canary.ts';
import { defineAggregate } from './define-aggregate.ts';

/** Written by the sweep alone; there are no documents of this type. */
export const canary = defineAggregate({
  type: canaryAggregate.aggregateType,
  collection: 'outgraph_canaries',
  id: () => canaryAggregate.aggregateId,
  payload: z.unknown(),
  declares: { labels: {}, types: [] },
  project: () => ({ nodes: [], relationships: [] }),
});
