/** Runs one statement of a transaction, which is retried if elements are missing. */
import type { ManagedTransaction, RecordShape } from 'neo4j-driver';
import { RetryTransaction } from './neo4j-errors.ts';

/**
 * Cypher that counts the elements that a MERGE has locked or created. A MERGE may match a node that
 * another transaction is deleting, and wait for its lock. Once that transaction has committed,
 * Neo4j silently skips `ON MATCH SET` and returns the deleted node. That node has neither the lock
 * that a match sets nor the property that a creation sets, so it is not counted.
 *
 * @param createdProperty a property that `ON CREATE` always sets.
 */
export function countMerged(variable: string, createdProperty: string): string {
  return `count(coalesce(${variable}._outgraphLock, ${variable}.${createdProperty}))`;
}

/** Returns the records as objects; `Shape` is the statement's result. */
export async function runStatement<Shape extends RecordShape>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly Shape[]> {
  const result = await tx.run<Shape>(statement, parameters);
  return result.records.map((record) => record.toObject());
}

/**
 * As `runStatement`, but requires one row for each requested element. A missing row means that
 * another transaction removed an element that this one had found; continuing would lose an update.
 */
export async function runExpectingRows<Shape extends RecordShape>(
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
 * Runs a MERGE of `expected` elements that returns `countMerged` as `count`, and a list `found`. An
 * element that was deleted meanwhile counts as missing. The result is a single row: a thousand rows
 * would cost more than the thousand elements.
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

/** As `runExpectingRows`, for a statement that returns only `count(*) AS count`. */
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
  if (found !== expected) throw new RetryTransaction(`A statement found ${found} of ${expected} elements.`);
}
