/**
 * Watches a long transaction. If a transaction that outgraph did not begin holds a lock that it
 * waits for, the watch terminates the waiting transaction, so that the rest of its batch need not
 * wait too.
 *
 * https://neo4j.com/docs/cypher-manual/5/clauses/transaction-clauses/#query-listing-transactions
 */
import { randomUUID } from 'node:crypto';
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { read } from './neo4j-read.ts';

/** Interval between two checks of a running transaction. */
const checkMillis = 1_000;

/**
 * Number of consecutive checks that find the transaction blocked by the same other one before it is
 * terminated. A blocker that is not listed may have ended, or may belong to a user whose
 * transactions are not visible.
 */
const maxChecks = { listed: 2, notListed: 6 };

/** Metadata that identifies outgraph's own transactions. */
export interface WatchedMetadata {
  readonly outgraph: string;
}

/** A transaction that is being watched. */
export interface LockWatch {
  readonly metadata: WatchedMetadata;
  /** The fault to throw instead of the transaction's own error. */
  readonly fault: () => Fault | undefined;
  readonly stop: () => void;
}

/** Starts to watch the transaction that will begin with this metadata. */
export function watchLocks(driver: Driver, database: string): LockWatch {
  const id = randomUUID();
  let fault: Fault | undefined;
  let last = { blocker: '', checks: 0 };
  let stopped = false;
  const check = async () => {
    const blocked = await findForeignLock(driver, database, id);
    const { blocker = '' } = blocked ?? {};
    last = { blocker, checks: blocker === last.blocker ? last.checks + 1 : 1 };
    if (blocked === undefined || stopped) return;
    if (last.checks < (blocked.isListed ? maxChecks.listed : maxChecks.notListed)) return;
    fault = new Fault(
      'graph-locked',
      `The transaction ${blocked.blocker} holds a lock that this event waits for, and ` +
        'outgraph did not begin it. Inspect it with SHOW TRANSACTIONS; ' +
        `if it is stuck, end it with TERMINATE TRANSACTION "${blocked.blocker}". The event is retried.`,
    );
    await driver.executeQuery('TERMINATE TRANSACTION $id', { id: blocked.own }, { database, ...noBookmarks });
  };
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(async () => {
      // Best effort: a server that does not answer has other problems.
      await check().catch(() => undefined);
      if (!stopped) schedule();
    }, checkMillis);
    timer.unref();
  };
  schedule();
  return {
    metadata: { outgraph: id },
    fault: () => fault,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

interface TransactionRow extends Record<string, unknown> {
  readonly transactionId: string;
  readonly status: string;
  readonly metaData: { readonly outgraph?: unknown };
}

interface ForeignLock {
  readonly own: string;
  readonly blocker: string;
  readonly isListed: boolean;
}

async function findForeignLock(driver: Driver, database: string, id: string): Promise<ForeignLock | undefined> {
  const statement = 'SHOW TRANSACTIONS YIELD transactionId, status, metaData RETURN transactionId, status, metaData';
  const rows = await read<TransactionRow>(driver, database, statement, {});
  const transactions = rows.map(({ transactionId, status, metaData }) => {
    return { name: transactionId, status, outgraph: metaData.outgraph };
  });
  const own = transactions.find(({ outgraph }) => outgraph === id);
  const blockers = /^Blocked by: \[(.*)\]$/.exec(own?.status ?? '')?.[1]?.split(', ') ?? [];
  const ours = new Set(transactions.flatMap(({ name, outgraph }) => (outgraph === undefined ? [] : name)));
  // If transactions of ours are in front, their own watches handle the lock.
  const blocker = blockers.find((name) => !ours.has(name));
  if (own === undefined || blocker === undefined) return undefined;
  return { own: own.name, blocker, isListed: transactions.some(({ name }) => name === blocker) };
}
