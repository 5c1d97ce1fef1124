/**
 * Counts the symbols that a file names but no scanned file defines. xmem/README.md shows the same
 * query.
 */
import type { Driver, EagerResult } from 'neo4j-driver';

/** One row for each repository that has any. */
export const bareSymbolsStatement = `MATCH (s:Symbol) WHERE NOT ()-[:DEFINES]->(s)
RETURN s.org_id AS org_id, s.repo AS repo, count(*) AS bare ORDER BY bare DESC`;

interface BareRow {
  readonly [field: string]: unknown;
  readonly org_id: string;
  readonly bare: bigint;
}

/** Counts them in all repositories of an organisation. */
export async function countBareSymbols(driver: Driver, database: string, org_id: string): Promise<number> {
  const { records } = await driver.executeQuery<EagerResult<BareRow>>(bareSymbolsStatement, {}, { database });
  const rows = records.map((record) => record.toObject()).filter((row) => row.org_id === org_id);
  return rows.reduce((sum, { bare }) => sum + Number(bare), 0);
}
