/** Runs one statement of a transaction, and makes a vanished element a reason to start over instead of an error. */
import type { ManagedTransaction, RecordShape } from 'neo4j-driver';
import { isVanishedElement, startOver } from './translate-error.ts';

/** A record as an object; `Shape` is what the statement returns. */
export async function runStatement<Shape extends RecordShape>(
  tx: ManagedTransaction,
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<readonly Shape[]> {
  try {
    const result = await tx.run<Shape>(statement, parameters);
    return result.records.map((record) => record.toObject());
  } catch (error) {
    if (isVanishedElement(error)) throw startOver('An element was deleted by another transaction after it was found.');
    throw error;
  }
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
  if (rows.length !== expected) throw startOver(`A statement found ${rows.length} of ${expected} elements.`);
  return rows;
}
