/** Finds aggregates that share nodes. Walks the registry, and so is for ownership conflicts only. */
import type { Driver } from 'neo4j-driver';
import { sharedNodeLine } from './manifest.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';

/** More aggregates than these are not asked whether they let go of a node. */
const maxSharers = 100;

/**
 * The keys of aggregates that list one of the nodes as shared, at most a hundred. `nodeIdentities` are the nodes'
 * identity texts.
 */
export async function findSharers(
  driver: Driver,
  database: string,
  nodeIdentities: readonly string[],
): Promise<readonly string[]> {
  const listed = nodeIdentities.map((identity) => `\n${sharedNodeLine(identity)}\n`);
  const statement = `
MATCH (a:OutgraphAggregate) WHERE any(text IN $listed WHERE a.manifest CONTAINS text)
RETURN a.key AS key ORDER BY key LIMIT ${maxSharers}`;
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(statement, { listed }, { database, ...noBookmarks, routing: 'READ' }),
  );
  return records.map((record) => record.get('key') as string);
}
