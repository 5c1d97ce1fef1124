/** A user's own catalog, as `--catalog` names it. */
import { Int32 } from 'mongodb';
import { z } from 'zod';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';

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

/** An aggregate with a relationship to a node of another program. */
const visit = defineAggregate({
  type: 'visit',
  collection: 'visits',
  id: documentId,
  payload: z.looseObject({}),
  declares: { labels: { Visit: ['id'], Place: ['id'] }, types: ['AT'] },
  project: (_, id) => ({
    nodes: [{ label: 'Visit', key: { id } }],
    relationships: [
      { type: 'AT', from: { label: 'Visit', key: { id } }, to: { label: 'Place', key: { id: new Int32(5) } } },
    ],
  }),
});

export const catalog = createCatalog([named('customer', 'Customer'), named('order', 'Order'), visit]);
