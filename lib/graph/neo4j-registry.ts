/**
 * The registry: one node `OutgraphAggregate` for each aggregate, with the position of the newest
 * applied event and the manifest of what the aggregate lists. Its lock serialises consumers that
 * apply the same aggregate.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { Position } from '../contract/position.ts';
import { sourceOf } from '../contract/registry-keys.ts';
import { runCounted, runExpectingRows, runStatement } from './neo4j-run-statement.ts';

/** An aggregate's new entry in the registry. `deleted` makes it a tombstone. */
export interface RegistryEntry {
  readonly key: string;
  readonly position: Position;
  readonly manifest: string;
  readonly deleted: boolean;
}

/** An aggregate's entry in the registry. */
export interface KnownAggregate {
  readonly position: Position;
  readonly manifest: string;
}

const positionsStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN collect([key, a.position]) AS known`;

const lockStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
SET a._outgraphLock = true`;

// A separate statement: a value read before the lock is held may be stale.
const readStatement = `
UNWIND $keys AS key
MATCH (a:OutgraphAggregate {key: key})
RETURN key, a.position AS position, a.manifest AS manifest`;

const setEntry = 'SET a.position = row[1], a.manifest = row[2], a.deletedAt = CASE WHEN row[3] THEN datetime() END';

// Only tombstones have it: the purge of a source finds its own with one index.
const setSource = 'a.source = CASE WHEN row[3] THEN $source END';

const enterStatement = `UNWIND $rows AS row CREATE (a:OutgraphAggregate {key: row[0]}) ${setEntry}`;

const advanceStatement = `UNWIND $rows AS row MATCH (a:OutgraphAggregate {key: row[0]}) ${setEntry}`;

const counted = 'RETURN count(*) AS count';

/**
 * Reads the positions of the aggregates that the registry knows, without a lock. Positions only
 * increase, so a superseded state stays superseded. Everything else that is read may be stale.
 */
export async function readPositions(
  tx: ManagedTransaction,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Position>> {
  const [row] = await runStatement<{ known: (readonly [string, Position])[] }>(tx, positionsStatement, { keys });
  return new Map(row?.known ?? []);
}

/**
 * Locks the registry nodes of known aggregates, and returns their entries.
 *
 * @param keys sorted, so that all transactions lock in one order.
 */
export async function lockAggregates(
  tx: ManagedTransaction,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KnownAggregate>> {
  if (keys.length === 0) return new Map();
  const [, rows] = await Promise.all([
    runStatement(tx, lockStatement, { keys }),
    runExpectingRows<{ key: string } & KnownAggregate>(tx, readStatement, { keys }, keys.length),
  ]);
  return new Map(rows.map(({ key, position, manifest }) => [key, { position, manifest }]));
}

/**
 * Enters unknown aggregates. The unique key makes a concurrent transaction that enters one of them
 * wait, and refuses it once this one has committed. The other transaction is then retried.
 */
export async function enterAggregates(tx: ManagedTransaction, entries: readonly RegistryEntry[]): Promise<void> {
  await write(tx, enterStatement, entries);
}

/** Writes the new positions and manifests of locked aggregates. */
export async function advanceAggregates(tx: ManagedTransaction, entries: readonly RegistryEntry[]): Promise<void> {
  await write(tx, advanceStatement, entries);
}

async function write(tx: ManagedTransaction, statement: string, entries: readonly RegistryEntry[]): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  // All entries of one call are of one outbox.
  const source = sourceOf(first.key);
  const rows = entries.map(({ key, position, manifest, deleted }) => [key, position, manifest, deleted]);
  const whole = `${statement}${source === '' ? '' : `, ${setSource}`} ${counted}`;
  await runCounted(tx, whole, source === '' ? { rows } : { rows, source }, rows.length);
}
