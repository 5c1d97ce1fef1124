/** The catalog of a service of its own, as `--catalog` names it. */
import { z } from 'zod';
import { createCatalog } from '../../../lib/aggregates/create-catalog.ts';
import { defineAggregate, documentId } from '../../../lib/aggregates/define-aggregate.ts';

const named = (type: string, label: string) =>
  defineAggregate({
    type,
    collection: `${type}s`,
    id: documentId,
    payload: z.looseObject({ fails: z.boolean().optional() }),
    declares: { labels: { [label]: ['id'] }, types: [] },
    project: ({ fails }, aggregateId) => {
      if (fails) throw new Error('no such field');
      return subgraphOf(label, aggregateId);
    },
  });

const subgraphOf = (label: string, id: string) => ({ nodes: [{ label, key: { id } }], relationships: [] });

export const catalog = createCatalog([named('customer', 'Customer'), named('order', 'Order')]);
