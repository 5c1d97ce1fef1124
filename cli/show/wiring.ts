/** Joins the look at one aggregate to both databases. */

import { aggregateKey } from '../../lib/contract/outbox-event.ts';
import { readKeyNames } from '../../lib/graph/neo4j-key-names.ts';
import { readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import { readElements } from '../../lib/graph/neo4j-read-elements.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { Databases } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import { type FindOptions, findDocument } from '../documents/mongodb-find-document.ts';
import { type DocumentId, readDocuments } from '../documents/mongodb-documents.ts';
import { toRelaxedJson } from '../terminal/relaxed-json.ts';
import { listEvents } from './mongodb-recent-events.ts';
import { type ViewOutcome, viewAggregate as view } from './view-aggregate.ts';

/** So many pending or dead events, and as many processed ones, are shown of an aggregate. */
const maxEvents = 100;

/**
 * Looks at one aggregate; connections stay the caller's.
 *
 * @throws Fault `mongodb-unavailable`, `neo4j-unavailable` or `manifest-unknown`.
 */
export async function viewAggregate(
  { db, driver, database }: Databases,
  definition: AggregateDefinition,
  aggregateId: string,
  search: FindOptions,
): Promise<ViewOutcome> {
  const aggregate = { aggregateType: definition.type, aggregateId };
  const key = aggregateKey(aggregate);
  const keys = await readKeyNames(driver, database);
  return view<DocumentId>(
    {
      locateDocument: async () => {
        const found = await findDocument(db, definition, aggregateId, search);
        return found.outcome === 'found' ? { outcome: 'found', id: found.document._id } : found;
      },
      readDocument: async (id) => {
        const [stored] = await readDocuments(db.collection(definition.collection), [id]);
        if (stored === undefined) return null;
        return {
          document: toRelaxedJson(stored.document) as Readonly<Record<string, unknown>>,
          subgraph: stateOf(definition, stored).subgraph,
        };
      },
      listEvents: () => listEvents(outboxOf(db), aggregate, maxEvents),
      readRegistered: async () => (await readRegistered(driver, database, [key])).get(key),
      readElements: (nodes, relationships) => readElements(driver, database, keys, { nodes, relationships }),
    },
    aggregate,
  );
}
