/** Reads and marks the registry entries of aggregates whose events were superseded. */
import type { Driver } from 'neo4j-driver';
import type { Position } from '../contract/position.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { withNeo4jFaults } from './neo4j-errors.ts';
import { read } from './neo4j-read.ts';

/** The newer entry that superseded an event. */
export interface NewerEntry {
  readonly key: string;
  readonly position: Position;
  readonly isDeleted: boolean;
}

const readStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position, a.deletedAt IS NOT NULL AS isDeleted`;

// Many events of one aggregate may be superseded in a row, so a recent note is not rewritten.
const noteStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
WHERE a.deletedAt IS NOT NULL AND coalesce(a.supersededAt < datetime() - duration({minutes: 5}), true)
SET a.supersededAt = datetime()`;

/** Returns the entries of aggregates, by key. @throws Fault `neo4j-unavailable`. */
export function readEntries(driver: Driver, database: string, keys: readonly string[]): Promise<readonly NewerEntry[]> {
  return read(driver, database, readStatement, { keys });
}

/**
 * Notes on tombstones that an older event was just settled. The purge counts from that time.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function noteSuperseded(driver: Driver, database: string, keys: readonly string[]): Promise<void> {
  await withNeo4jFaults(() => driver.executeQuery(noteStatement, { keys }, { database, ...noBookmarks }));
}
