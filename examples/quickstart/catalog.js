/** How a document of the collection "people" maps to the graph. */
import { createCatalog, defineAggregate, documentId } from 'outgraph';
import { z } from 'zod';

export const person = defineAggregate({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload: z.object({ name: z.string(), city: z.string() }),
  declares: { labels: { Person: ['id'], City: ['name'] }, types: ['LIVES_IN'] },
  project: ({ name, city }, id) => ({
    nodes: [{ label: 'Person', key: { id }, properties: { name } }],
    relationships: [
      {
        type: 'LIVES_IN',
        from: { label: 'Person', key: { id } },
        to: { label: 'City', key: { name: city } },
      },
    ],
  }),
});

export const catalog = createCatalog([person]);
