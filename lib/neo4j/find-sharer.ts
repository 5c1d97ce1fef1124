/** Finds an aggregate that shares a node. Walks the registry, and so is for the rare message about a dead event only. */
import type { Driver } from 'neo4j-driver';
import { withNeo4jFaults } from './translate-error.ts';

/** The key of some aggregate that lists the node as shared, or undefined. `nodeIdentity` is the node's identity text. */
export async function findSharer(driver: Driver, database: string, nodeIdentity: string): Promise<string | undefined> {
  // In a manifest a node is [label, key, shared, content]; an identity is [label, key].
  const listed = `${nodeIdentity.slice(0, -1)},1,`;
  const statement = 'MATCH (a:OutgraphAggregate) WHERE a.manifest CONTAINS $listed RETURN a.key AS key LIMIT 1';
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(statement, { listed }, { database, routing: 'READ' }),
  );
  return records[0]?.get('key') as string | undefined;
}
