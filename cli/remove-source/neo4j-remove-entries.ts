/** Counts a source's aggregates, and removes the registry entries of the deleted ones. */
import type { Driver } from 'neo4j-driver';
import type { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import { withNeo4jFaults } from '../../lib/graph/neo4j-errors.ts';
import { read } from '../../lib/graph/neo4j-read.ts';

const countStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key > $after AND a.key < $end AND a.deletedAt IS NULL AND a.position IS NOT NULL
RETURN count(a) AS count`;

const removeStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.key > $after AND a.key < $end AND a.deletedAt IS NOT NULL
CALL (a) { DELETE a } IN TRANSACTIONS OF 5000 ROWS`;

/** The number of live aggregates. @throws Fault `neo4j-unavailable`. */
export async function countAggregates(driver: Driver, database: string, { range }: RegistryKeys): Promise<number> {
  const [row] = await read<{ count: bigint }>(driver, database, countStatement, { ...range });
  return Number(row?.count ?? 0n);
}

/** Removes all tombstones of the source. @throws Fault `neo4j-unavailable`. */
export async function removeEntries(driver: Driver, database: string, { range }: RegistryKeys): Promise<void> {
  const session = driver.session({ database });
  try {
    await withNeo4jFaults(() => session.run(removeStatement, { ...range }));
  } finally {
    await session.close();
  }
}
