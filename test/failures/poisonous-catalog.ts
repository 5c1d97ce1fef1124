/**
 * The catalog with one more aggregate type, whose projection ends the process or never ends: what a team's own
 * projection may do by mistake. For a consumer that is built with it, and for a worker.
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
    // `loop` takes nothing but time.
    for (;;) if (effect === 'memory') taken.push(new Array(1_000_000).fill(taken.length));
  },
});

export const catalog: AggregateCatalog = new Map([...real, [poison.type, poison]]);
