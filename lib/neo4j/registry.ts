/**
 * The registry: one node `OutgraphAggregate` for each aggregate, with the position of the newest event applied and the manifest of what it
 * lists. Its lock is what makes two consumers apply one aggregate one after the other.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { Position } from '../contract/position.ts';
import { mergedAs, runCounted, runForEvery, runMerge } from './run-statement.ts';

/** What the registry shall say about an aggregate. `deleted` makes it a tombstone. */
export interface RegistryEntry {
  readonly key: string;
  readonly position: Position;
  readonly manifest: string;
  readonly deleted: boolean;
}

/** What the registry says about an aggregate that was there before. */
export interface KnownAggregate {
  readonly position: Position;
  readonly manifest: string;
}

const setEntry = `a.position = row.position, a.manifest = row.manifest, a.deletedAt = CASE WHEN row.deleted THEN datetime() END`;

// The unique key makes MERGE lock the index entry of a new aggregate; writing a value locks the node of a known one.
const lockStatement = `
UNWIND $entries AS row
MERGE (a:OutgraphAggregate {key: row.key})
  ON CREATE SET ${setEntry}
  ON MATCH SET a._outgraphLock = true
WITH row.key AS key, ${mergedAs('a', 'position')}
RETURN count(merged) AS count, collect(CASE merged WHEN 'found' THEN key END) AS found`;

// In a statement of its own: what was read before the lock was held may be out of date.
const readStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN a.key AS key, a.position AS position, a.manifest AS manifest`;

const advanceStatement = `
UNWIND $entries AS row
MATCH (a:OutgraphAggregate {key: row.key})
SET ${setEntry}
RETURN count(*) AS count`;

/**
 * Locks the registry nodes of a batch and returns what they say. An aggregate that was not known is entered as given, so
 * that a new one, the usual case, costs no second write.
 *
 * @param entries sorted by key: one lock order for all transactions.
 */
export async function lockRegistry(
  tx: ManagedTransaction,
  entries: readonly RegistryEntry[],
): Promise<ReadonlyMap<string, KnownAggregate>> {
  const keys = await runMerge<string>(tx, lockStatement, { entries }, entries.length);
  if (keys.length === 0) return new Map();
  const rows = await runForEvery<{ key: string } & KnownAggregate>(tx, readStatement, { keys }, keys.length);
  return new Map(rows.map(({ key, position, manifest }) => [key, { position, manifest }]));
}

/** Enters the new position and manifest of aggregates that `lockRegistry` has found and locked. */
export async function advanceRegistry(tx: ManagedTransaction, entries: readonly RegistryEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await runCounted(tx, advanceStatement, { entries }, entries.length);
}
