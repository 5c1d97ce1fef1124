/**
 * Tombstones: the registry nodes of deleted aggregates. They keep a late, older upsert from
 * restoring a deleted aggregate, and are purged once no such upsert can arrive any more.
 */
import type { Driver } from 'neo4j-driver';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { noBookmarks } from '../graph/neo4j-connect.ts';
import { withNeo4jFaults } from '../graph/neo4j-errors.ts';
import type { ListedTombstone, Tombstone, TombstonePage } from './tombstone.ts';

// In the order of the index on `deletedAt`, so that tombstones of earlier pages are not scanned
// again. With a source, it is the index on `source` and `deletedAt`. Events processed before
// `purgedBefore` are no longer in the outbox: MongoDB purges once a minute, so an hour's margin is
// ample.
const listStatement = (keys: RegistryKeys) => `
MATCH (a:OutgraphAggregate)
WHERE ${keys.source === '' ? '' : 'a.source = $source AND '}a.deletedAt < datetime() - duration({days: $olderThanDays}) + duration({hours: 1})
  AND a.deletedAt >= datetime($afterDeletedAt) AND (a.deletedAt > datetime($afterDeletedAt) OR a.key > $afterKey)
WITH a, datetime() - duration({seconds: $processedSeconds, hours: 1}) AS purgedBefore
RETURN a.key AS key, a.position AS position, toString(a.deletedAt) AS deletedAt,
  a.deletedAt < datetime() - duration({days: $olderThanDays}) AND a.deletedAt < purgedBefore
  AND coalesce(a.supersededAt < purgedBefore, true)
  AND coalesce(a.heldAt < datetime() - duration({hours: 1}), true) AS isRemovable
ORDER BY a.deletedAt, a.key LIMIT toInteger($limit)`;

// The sweep runs every minute, so a recent note is not rewritten.
const holdStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
WHERE coalesce(a.heldAt < datetime() - duration({minutes: 5}), true)
SET a.heldAt = datetime()`;

// Lock before reading: an upsert of the same aggregate may be restoring it right now.
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

/** Before every deletion. */
const beginning = { deletedAt: '0001-01-01T00:00:00Z', key: '' };

/** Returns a page of the source's tombstones. @throws Fault `neo4j-unavailable`. */
export async function listTombstones(
  driver: Driver,
  database: string,
  { olderThanDays, processedSeconds, limit, after }: TombstonePage,
  keys: RegistryKeys = withoutSource,
): Promise<readonly ListedTombstone[]> {
  const { deletedAt, key } = after ?? beginning;
  const parameters = {
    source: keys.source,
    olderThanDays,
    processedSeconds: BigInt(processedSeconds),
    limit,
    afterDeletedAt: deletedAt,
    afterKey: key,
  };
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(listStatement(keys), parameters, { database, ...noBookmarks, routing: 'READ' }),
  );
  return records.map((record) => record.toObject() as unknown as ListedTombstone);
}

/**
 * Notes that these aggregates have unsettled events.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function holdTombstones(driver: Driver, database: string, keys: readonly string[]): Promise<void> {
  await withNeo4jFaults(() => driver.executeQuery(holdStatement, { keys }, { database, ...noBookmarks }));
}

/**
 * Removes the tombstones that have not changed since they were listed, and returns how many.
 *
 * @throws Fault `neo4j-unavailable`.
 */
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
