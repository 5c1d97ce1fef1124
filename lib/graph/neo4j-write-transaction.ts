/**
 * One write transaction with every retry it may need. What has to do with the network and the server is the driver's to
 * retry; what other transactions did to the same elements is retried here, within milliseconds.
 */
import type { Driver, ManagedTransaction } from 'neo4j-driver';
import pRetry from 'p-retry';
import { StartOver, withStartOver } from './neo4j-errors.ts';
import { type LockWatch, watchLocks } from './neo4j-watch-locks.ts';

/**
 * What others do to the same elements is over soon: the waits begin short, double, and are up to twice as long by
 * chance.
 */
const startOverWaits = { retries: Number.POSITIVE_INFINITY, minTimeout: 5, maxTimeout: 500, randomize: true };

/**
 * What others keep in the way of for so long is left to the caller's own repetition: well below the functions'
 * time-outs of 60 seconds.
 */
const startOverSeconds = 15;

/**
 * Neo4j ends a transaction that takes longer; below the function's time-out, so that its locks never outlive the
 * function by much.
 */
const transactionTimeoutSeconds = 40;

/**
 * Runs `work` in a transaction, and all of it again where another transaction was in the way.
 *
 * `mayPass`: whether another error is a reason to begin again, too; asked once for each failure.
 *
 * @throws the errors of the driver and of `work` as they are, and StartOver.
 */
export async function inWriteTransaction<Result>(
  driver: Driver,
  database: string,
  work: (tx: ManagedTransaction) => Promise<Result>,
  {
    mayPass = () => false,
    timeoutSeconds = transactionTimeoutSeconds,
  }: { readonly mayPass?: (error: Error) => boolean; readonly timeoutSeconds?: number } = {},
): Promise<Result> {
  return pRetry(() => attempt(driver, database, work, timeoutSeconds), {
    ...startOverWaits,
    maxRetryTime: startOverSeconds * 1000,
    shouldRetry: ({ error }) => error instanceof StartOver || mayPass(error),
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
    // Around the commit as well: that a node has relationships again is noticed there.
    return await withStartOver(() =>
      session.executeWrite((tx) => withStartOver(() => unlessLocked(watch, () => work(tx))), options),
    );
  } finally {
    watch.stop();
    await session.close();
  }
}

/** A transaction that was ended because of a lock fails with that reason, and is not retried. */
async function unlessLocked<Result>(watch: LockWatch, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw watch.fault() ?? error;
  }
}
