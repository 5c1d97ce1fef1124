/** The built-in aggregate type of the sweep's canaries: its subgraph is always empty. */
import { z } from 'zod';
import { canaryAggregate } from '../contract/canary.ts';
import { defineAggregate } from './define-aggregate.ts';

/** Only the sweep writes events of this type; it has no documents. */
export const canary = defineAggregate({
  type: canaryAggregate.aggregateType,
  collection: 'outgraph_canaries',
  id: () => canaryAggregate.aggregateId,
  payload: z.unknown(),
  declares: { labels: {}, types: [] },
  project: () => ({ nodes: [], relationships: [] }),
});
