/** Runs the apply transaction; uses careful mode if the graph differs from its manifests. */
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import type { AggregateState, TransactionOutcome } from './aggregate-state.ts';
import { applyTransaction, ConflictFound, ManifestMismatch, PreparedState } from './neo4j-apply-transaction.ts';
import { isRelationshipTaken, isTransactionLimit, translateNeo4jError, uniqueViolation } from './neo4j-errors.ts';
import { findValueConflict } from './neo4j-find-value-holder.ts';
import { inWriteTransaction } from './neo4j-write-transaction.ts';

/** After this many mismatches in a row, including careful mode, the data is at fault. */
const maxMismatches = 5;

/**
 * Applies states of different aggregates in one transaction.
 *
 * @throws Fault: a data fault if the graph refuses the batch permanently (halve it); any other
 * fault if it can be retried later.
 */
export async function applyStates(
  driver: Driver,
  database: string,
  states: readonly AggregateState[],
): Promise<TransactionOutcome> {
  const sorted = [...states]
    .sort((left, right) => (left.key < right.key ? -1 : 1))
    .map((state) => new PreparedState(state));
  let mismatches = 0;
  let clearing = false;
  const shouldRetry = (error: unknown) => {
    if (!clearing && uniqueViolation(error) !== null) {
      clearing = true;
      return true;
    }
    if (!isMismatch(error)) return false;
    mismatches += 1;
    return mismatches < maxMismatches;
  };
  try {
    const outcomes = await inWriteTransaction(
      driver,
      database,
      (tx) => applyTransaction(tx, sorted, { careful: mismatches > 0, clearing }),
      { shouldRetry },
    );
    return { outcome: 'committed', states: outcomes };
  } catch (error) {
    if (error instanceof ConflictFound) return { outcome: 'conflict', conflicts: error.conflicts };
    const [only, ...others] = states;
    if (only !== undefined && others.length === 0) {
      const conflict = await findValueConflict(driver, database, only, error);
      if (conflict !== null) return { outcome: 'conflict', conflicts: [conflict] };
      if (isTransactionLimit(error))
        throw new Fault(
          'transaction-too-large',
          'This subgraph alone needs more memory than Neo4j allows one transaction ' +
            '(db.memory.transaction.max). Raise the limit, or move the growing part into separate aggregates.',
          { cause: error },
        );
    }
    throw translateNeo4jError(error);
  }
}

/** Whether the graph differs from its manifests. The retry does not rely on them. */
function isMismatch(error: unknown): boolean {
  return error instanceof ManifestMismatch || isRelationshipTaken(error);
}
