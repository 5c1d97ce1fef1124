/**
 * The catalog, plus an aggregate type with a projection that crashes the process or never returns,
 * as a team's projection may do by mistake. A consumer is built with it, and a worker loads it.
 */
import { z } from 'zod';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { defineAggregate, documentId } from '../../lib/projection/define-aggregate.ts';
import { catalog as real } from '../../xmem/catalog.ts';

const poison = defineAggregate({
  type: 'poison',
  collection: 'poisons',
  id: documentId,
  payload: z.object({ effect: z.enum(['memory', 'loop']) }),
  project: ({ effect }) => {
    const taken: unknown[] = [];
    // `loop` takes only time.
    for (;;) if (effect === 'memory') taken.push(new Array(1_000_000).fill(taken.length));
  },
});

export const catalog: AggregateCatalog = new Map([...real, [poison.type, poison]]);
