/**
 * Runs the apply transaction with every retry it may need. What has to do with the network and the server is the driver's to retry; what
 * other transactions did to the same elements is retried here, within milliseconds.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import pRetry from 'p-retry';
import type { AggregateState, TransactionOutcome } from '../apply/aggregate-state.ts';
import { applyTransaction, ConflictFound, ManifestMismatch, PreparedState } from './apply-transaction.ts';
import { isRelationshipTaken, StartOver, translateNeo4jError, withStartOver } from './translate-error.ts';

/** What others do to the same elements is over soon: the waits begin short, double, and are up to twice as long by chance. */
const startOverWaits = { retries: Number.POSITIVE_INFINITY, minTimeout: 5, maxTimeout: 500, randomize: true };

/** A batch that others keep in the way of for so long is left to the queue's redelivery: well below the functions' time-outs of 60 seconds. */
const startOverSeconds = 15;

/** A graph that does not fit its manifests this often in a row, also in careful mode, is a fault of the data. */
const maxMismatches = 5;

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
  const sorted = [...states]
    .sort((left, right) => (left.key < right.key ? -1 : 1))
    .map((state) => new PreparedState(state));
  let mismatches = 0;
  try {
    return await pRetry(() => attemptTransaction(driver, database, sorted, mismatches > 0), {
      ...startOverWaits,
      maxRetryTime: startOverSeconds * 1000,
      onFailedAttempt: ({ error }) => {
        if (isMismatch(error)) mismatches += 1;
      },
      shouldRetry: ({ error }) => error instanceof StartOver || (isMismatch(error) && mismatches < maxMismatches),
    });
  } catch (error) {
    throw translateNeo4jError(error);
  }
}

/** The graph does not hold what the manifests say: to be tried again without trusting them. */
function isMismatch(error: unknown): boolean {
  return error instanceof ManifestMismatch || isRelationshipTaken(error);
}

async function attemptTransaction(
  driver: Driver,
  database: string,
  states: readonly PreparedState[],
  careful: boolean,
): Promise<TransactionOutcome> {
  const session = driver.session({ database });
  try {
    const work = (tx: ManagedTransaction) => withStartOver(() => applyTransaction(tx, states, { careful }));
    const timeout = transactionTimeoutSeconds * 1000;
    // Around the commit as well: that a node has relationships again is noticed there.
    const outcomes = await withStartOver(() => session.executeWrite(work, { timeout }));
    return { outcome: 'committed', states: outcomes };
  } catch (error) {
    if (error instanceof ConflictFound) return { outcome: 'conflict', conflicts: error.conflicts };
    throw error;
  } finally {
    await session.close();
  }
}
