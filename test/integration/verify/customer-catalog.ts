/** The catalog of a service of its own, as `--catalog` names it. */
import { z } from 'zod';
import { createCatalog } from '../../../lib/aggregates/create-catalog.ts';
import { defineAggregate, documentId } from '../../../lib/aggregates/define-aggregate.ts';

const named = (type: string, label: string) =>
  defineAggregate({
    type,
    collection: `${type}s`,
    id: documentId,
    payload: z.object({}),
    project: (_, aggregateId) => ({ nodes: [{ label, key: { id: aggregateId } }], relationships: [] }),
  });

export const catalog = createCatalog([named('customer', 'Customer'), named('order', 'Order')]);
