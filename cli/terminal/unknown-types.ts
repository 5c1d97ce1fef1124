/** Which aggregate types the databases hold and a catalog lacks: a comparison by that catalog would pass them over. */

import { listAggregateTypes } from '../../lib/graph/neo4j-list-aggregates.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { listUnsettledTypes } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import type { Databases } from '../databases.ts';

/**
 * The types of live aggregates in the graph and of pending or dead events that the catalog lacks, in the order of
 * their names. Every processed event is of an aggregate that the graph knows.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`.
 */
export async function findUnknownTypes(
  { db, driver, database }: Databases,
  catalog: AggregateCatalog,
): Promise<readonly string[]> {
  const inOutbox = await listUnsettledTypes(outboxOf(db));
  const inGraph = await listAggregateTypes(driver, database);
  return [...new Set([...inOutbox, ...inGraph])].filter((type) => !catalog.has(type)).sort();
}
