/**
 * Runs the apply transaction with every retry it may need. Passing errors are the driver's to retry; what is retried here is what only outgraph
 * can tell to be passing: a bare node that found a new relationship at the last moment, a shared relationship that two made at once.
 */
import type { Driver } from 'neo4j-driver';
import type { AggregateState, TransactionOutcome } from '../apply/aggregate-state.ts';
import {
  applyTransaction,
  ConflictFound,
  ManifestMismatch,
  type PreparedState,
  prepareState,
} from './apply-transaction.ts';
import { isRelationshipTaken, isStillAttached, translateNeo4jError } from './translate-error.ts';

/** A batch that meets a last-moment change this often in a row is left to the queue's redelivery. */
const maxAttempts = 5;

/** Neo4j ends a transaction that takes longer; below the function's time-out, so that its locks never outlive the function by much. */
const transactionTimeoutSeconds = 40;

/**
 * Applies states of different aggregates in one transaction.
 *
 * @throws Fault: a data fault if the graph refuses the batch for good (bisect it), any other if it shall be retried later.
 */
export async function applyStates(
  driver: Driver,
  database: string,
  states: readonly AggregateState[],
): Promise<TransactionOutcome> {
  const sorted = [...states].sort((left, right) => (left.key < right.key ? -1 : 1)).map(prepareState);
  let careful = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptTransaction(driver, database, sorted, careful);
    } catch (error) {
      const mismatch = error instanceof ManifestMismatch || isRelationshipTaken(error);
      if (!(mismatch || isStillAttached(error)) || attempt === maxAttempts) throw translateNeo4jError(error);
      careful ||= mismatch;
    }
  }
}

async function attemptTransaction(
  driver: Driver,
  database: string,
  states: readonly PreparedState[],
  careful: boolean,
): Promise<TransactionOutcome> {
  const session = driver.session({ database });
  try {
    const outcomes = await session.executeWrite((tx) => applyTransaction(tx, states, { careful }), {
      timeout: transactionTimeoutSeconds * 1000,
    });
    return { outcome: 'committed', states: outcomes };
  } catch (error) {
    if (error instanceof ConflictFound) return { outcome: 'conflict', conflicts: error.conflicts };
    throw error;
  } finally {
    await session.close();
  }
}
