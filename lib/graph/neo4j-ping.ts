/** Pings Neo4j with a query that a working server answers at once. */
import type { Driver } from 'neo4j-driver';
import { withNeo4jFaults } from './neo4j-errors.ts';

/**
 * Resolves when the server has answered one query. It bypasses the driver's retries, so that an
 * unreachable server fails at once.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function pingNeo4j(driver: Driver, database: string): Promise<void> {
  const session = driver.session({ database });
  try {
    await withNeo4jFaults(() => session.run('RETURN 1'));
  } finally {
    await session.close();
  }
}
