/** Counts nodes that stand only as endpoints: no aggregate lists them, and they go with the last relationship that names them. */
import type { Driver, EagerResult } from 'neo4j-driver';
import { namePattern } from '../contract/subgraph.ts';
import { noBookmarks } from './connect.ts';
import { withNeo4jFaults } from './translate-error.ts';

/**
 * How many nodes with this label are bare, of those with the given properties. Nodes that outgraph did not create do not count. Walks all nodes of the label.
 *
 * @throws Fault `neo4j-unavailable`.
 * @example
 * await countBareNodes(driver, 'neo4j', 'Symbol', { org_id: 'o', repo: 'r' });
 */
export async function countBareNodes(
  driver: Driver,
  database: string,
  label: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<number> {
  if (!namePattern.test(label)) throw new Error(`The label "${label}" must match ${namePattern.source}.`);
  const statement = `
MATCH (n:\`${label}\`)
WHERE n._outgraph IS NOT NULL AND n._outgraphOwner IS NULL AND n._outgraphShares IS NULL
  AND all(name IN keys($properties) WHERE n[name] = $properties[name])
RETURN count(n) AS count`;
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery<EagerResult<{ count: bigint }>>(
      statement,
      { properties },
      { database, ...noBookmarks, routing: 'READ' },
    ),
  );
  return Number(records[0]?.get('count'));
}
