/**
 * Runs one write transaction with all its retries. The driver retries errors of the network and the
 * server. This module retries conflicts with other transactions on the same elements, within
 * milliseconds.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import pRetry from 'p-retry';
import { RetryTransaction, withTransactionRetry } from './neo4j-errors.ts';
import { type LockWatch, watchLocks } from './neo4j-watch-locks.ts';

/** Conflicts pass soon: the back-off starts short, doubles, and has a jitter of up to 100 %. */
const retryBackOff = { retries: Number.POSITIVE_INFINITY, minTimeout: 5, maxTimeout: 500, randomize: true };

/** Then the caller's own retry takes over, well below the functions' time-out of 60 seconds. */
const maxRetrySeconds = 15;

/**
 * Neo4j terminates a longer transaction. The limit is below the function's time-out, so that locks
 * outlive the function only briefly.
 */
const transactionTimeoutSeconds = 40;

/**
 * Runs `work` in a transaction, and retries all of it after a conflict with another transaction.
 *
 * @param shouldRetry whether to retry after another error too; called once for each failure.
 * @throws errors of the driver and of `work` unchanged, and RetryTransaction.
 */
export async function inWriteTransaction<Result>(
  driver: Driver,
  database: string,
  work: (tx: ManagedTransaction) => Promise<Result>,
  {
    shouldRetry = () => false,
    timeoutSeconds = transactionTimeoutSeconds,
  }: { readonly shouldRetry?: (error: Error) => boolean; readonly timeoutSeconds?: number } = {},
): Promise<Result> {
  return pRetry(() => attempt(driver, database, work, timeoutSeconds), {
    ...retryBackOff,
    maxRetryTime: maxRetrySeconds * 1000,
    shouldRetry: ({ error }) => error instanceof RetryTransaction || shouldRetry(error),
  });
}

async function attempt<Result>(
  driver: Driver,
  database: string,
  work: (tx: ManagedTransaction) => Promise<Result>,
  timeoutSeconds: number,
): Promise<Result> {
  const session = driver.session({ database });
  const watch = watchLocks(driver, database);
  try {
    const options = { timeout: timeoutSeconds * 1000, metadata: { ...watch.metadata } };
    // Includes the commit: Neo4j notices only there that a node to delete has relationships again.
    return await withTransactionRetry(() =>
      session.executeWrite((tx) => withTransactionRetry(() => unlessLocked(watch, () => work(tx))), options),
    );
  } finally {
    watch.stop();
    await session.close();
  }
}

/** Fails with the watch's fault, without a retry, if the lock watch terminated the transaction. */
async function unlessLocked<Result>(watch: LockWatch, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw watch.fault() ?? error;
  }
}
