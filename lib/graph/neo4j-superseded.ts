/** What the registry says of aggregates whose events were superseded. */
import type { Driver } from 'neo4j-driver';
import type { Position } from '../contract/position.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';
import { read } from './neo4j-read.ts';

/** What an event lost to. */
export interface NewerEntry {
  readonly key: string;
  readonly position: Position;
  readonly isDeleted: boolean;
}

const readStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position, a.deletedAt IS NOT NULL AS isDeleted`;

// Each of many events of one aggregate comes here: what was noted a moment ago is not written
// again.
const noteStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
WHERE a.deletedAt IS NOT NULL AND coalesce(a.supersededAt < datetime() - duration({minutes: 5}), true)
SET a.supersededAt = datetime()`;

/** By aggregate keys (`type:id`). @throws Fault `neo4j-unavailable`. */
export function readEntries(driver: Driver, database: string, keys: readonly string[]): Promise<readonly NewerEntry[]> {
  return read(driver, database, readStatement, { keys });
}

/**
 * Notes at tombstones that an older event was settled just now: the purge counts from there.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function noteSuperseded(driver: Driver, database: string, keys: readonly string[]): Promise<void> {
  await withNeo4jFaults(() => driver.executeQuery(noteStatement, { keys }, { database, ...noBookmarks }));
}
