/**
 * Tombstones: the registry nodes of deleted aggregates. They are what keeps a late, older upsert from bringing a ghost back, and are
 * purged once no such upsert can arrive any more.
 */
import type { Driver } from 'neo4j-driver';
import type { Tombstone, TombstonePage } from '../contract/tombstone.ts';
import { withNeo4jFaults } from './translate-error.ts';

const listStatement = `
MATCH (a:OutgraphAggregate)
WHERE a.deletedAt < datetime() - duration({days: $olderThanDays}) AND ($afterKey IS NULL OR a.key > $afterKey)
RETURN a.key AS key, a.position AS position
ORDER BY key LIMIT toInteger($limit)`;

// The lock comes before the look: an upsert of the same aggregate may be bringing it back to life right now.
const lockStatement = `
UNWIND $tombstones AS row
MATCH (a:OutgraphAggregate {key: row.key})
SET a._outgraphLock = true`;

const removeStatement = `
UNWIND $tombstones AS row
MATCH (a:OutgraphAggregate {key: row.key})
WHERE a.position = row.position AND a.deletedAt IS NOT NULL
DELETE a
RETURN count(a) AS removed`;

/** A page of the tombstones that are old enough. */
export async function listTombstones(
  driver: Driver,
  database: string,
  page: TombstonePage,
): Promise<readonly Tombstone[]> {
  const parameters = { ...page, olderThanDays: BigInt(page.olderThanDays) };
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(listStatement, parameters, { database, routing: 'READ' }),
  );
  return records.map((record) => record.toObject() as unknown as Tombstone);
}

/** Removes the tombstones that are still what was listed, and returns how many. */
export async function removeTombstones(
  driver: Driver,
  database: string,
  tombstones: readonly Tombstone[],
): Promise<number> {
  if (tombstones.length === 0) return 0;
  const session = driver.session({ database });
  try {
    return await withNeo4jFaults(() =>
      session.executeWrite(async (tx) => {
        await tx.run(lockStatement, { tombstones });
        const { records } = await tx.run<{ removed: bigint }>(removeStatement, { tombstones });
        return Number(records[0]?.get('removed') ?? 0n);
      }),
    );
  } finally {
    await session.close();
  }
}
