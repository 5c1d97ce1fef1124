/** The catalog with one more aggregate type, whose projection ends the process or never ends: what a team's own projection may do by mistake. Stands in the place of the real one in a consumer that is built for it. */
import { z } from 'zod';
import { aggregates as real } from '../../functions/catalog.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { defineAggregate, documentId } from '../../lib/projection/define-aggregate.ts';

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

export const aggregates: AggregateCatalog = new Map([...real, [poison.type, poison]]);
