/** Runs one statement of a transaction; what it does not find any more is a reason to start over. */
import type { ManagedTransaction, RecordShape } from 'neo4j-driver';
import { StartOver } from './neo4j-errors.ts';

/**
 * Cypher that counts the elements that a MERGE has locked or made. A MERGE may match a node that another transaction is
 * deleting and wait for its lock; once that one has committed, Neo4j skips `ON MATCH SET` without a word and returns
 * the dead node. It has neither the lock that a match sets nor the property that a creation sets, and so is not
 * counted.
 *
 * @param made a property that `ON CREATE` always sets.
 */
export function countMerged(variable: string, made: string): string {
  return `count(coalesce(${variable}._outgraphLock, ${variable}.${made}))`;
}

/** The records as objects; `Shape` is what the statement returns. */
export async function runStatement<Shape extends RecordShape>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly Shape[]> {
  const result = await tx.run<Shape>(statement, parameters);
  return result.records.map((record) => record.toObject());
}

/**
 * As `runStatement`, and demands as many rows as were asked for: a row less means that another transaction removed what
 * this one had found, and going on would lose an update.
 */
export async function runForEvery<Shape extends RecordShape>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  expected: number,
): Promise<readonly Shape[]> {
  const rows = await runStatement<Shape>(tx, statement, parameters);
  requireCount(rows.length, expected);
  return rows;
}

/**
 * Runs a MERGE of so many elements that returns `countMerged` as `count`, and a list `found`: an element that was
 * deleted meanwhile is as good as missing. One row for all: a thousand rows would cost more than the thousand elements
 * do.
 */
export async function runMerge<Found>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  expected: number,
): Promise<readonly Found[]> {
  const [row] = await runStatement<{ count: bigint; found: Found[] }>(tx, statement, parameters);
  requireCount(Number(row?.count ?? 0n), expected);
  return row?.found ?? [];
}

/** As `runForEvery`, for a statement that returns only `count(*) AS count`. */
export async function runCounted(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  expected: number,
): Promise<void> {
  const [row] = await runStatement<{ count: bigint }>(tx, statement, parameters);
  requireCount(Number(row?.count ?? 0n), expected);
}

function requireCount(found: number, expected: number): void {
  if (found !== expected) throw new StartOver(`A statement found ${found} of ${expected} elements.`);
}
