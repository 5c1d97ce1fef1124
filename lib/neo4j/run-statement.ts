/** Runs one statement of a transaction; what it does not find any more is a reason to start over. */
import type { ManagedTransaction, RecordShape } from 'neo4j-driver';
import { StartOver } from './translate-error.ts';

/** What a MERGE that locks came to: the element was there and is locked now, or this transaction has made it. */
export type Merged = 'found' | 'made';

/**
 * The Cypher that tells them apart, and from a third case. A MERGE may match a node that another transaction is deleting and wait for
 * its lock; once that one has committed, Neo4j skips `ON MATCH SET` without a word and returns the dead node. It has neither the lock that a match
 * sets nor the property that a creation sets, so this is null for it.
 *
 * @param made a property that `ON CREATE` always sets.
 */
export function mergedAs(variable: string, made: string): string {
  return `CASE WHEN ${variable}._outgraphLock IS NOT NULL THEN 'found' WHEN ${variable}.${made} IS NOT NULL THEN 'made' END AS merged`;
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
 * As `runStatement`, and demands as many rows as were asked for: a row less means that another transaction removed what this one had found, and
 * going on would lose an update.
 */
export async function runForEvery<Shape extends RecordShape>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  expected: number,
): Promise<readonly Shape[]> {
  const rows = await runStatement<Shape>(tx, statement, parameters);
  if (rows.length !== expected) throw new StartOver(`A statement found ${rows.length} of ${expected} elements.`);
  return rows;
}

/** As `runForEvery`, for a statement that returns `mergedAs`: a row whose node was deleted meanwhile is as good as missing. */
export async function runMerge<Shape extends RecordShape & { readonly merged: Merged | null }>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  expected: number,
): Promise<readonly Shape[]> {
  const rows = await runForEvery<Shape>(tx, statement, parameters, expected);
  if (rows.some((row) => row.merged === null)) throw new StartOver('A node was deleted while its lock was waited for.');
  return rows;
}
