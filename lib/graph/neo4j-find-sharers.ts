/**
 * Finds aggregates that share nodes. It scans the registry: use it only for ownership conflicts.
 */
import type { Driver } from 'neo4j-driver';
import { sharedNodeLine } from './manifest.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';

/** At most this many aggregates are asked to release a node. */
const maxSharers = 100;

/**
 * Returns the keys of up to a hundred aggregates that list one of the nodes as shared.
 * `nodeIdentities` are the nodes' identities.
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
