/** Removes the data of a test from the graph. */
import type { Driver } from 'neo4j-driver';

/**
 * Removes the nodes with these labels, and the registry nodes whose keys begin with `keyPrefix`.
 */
export async function clearGraph(driver: Driver, labels: readonly string[], keyPrefix: string): Promise<void> {
  for (const label of labels) await driver.executeQuery(`MATCH (n:${label}) DETACH DELETE n`);
  await driver.executeQuery('MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $keyPrefix DELETE a', { keyPrefix });
}
