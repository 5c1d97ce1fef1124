/**
 * Watches a transaction that takes long: where one that outgraph did not begin holds a lock it waits for, it is ended,
 * so that its neighbours in the batch need not wait as well.
 *
 * https://neo4j.com/docs/cypher-manual/5/clauses/transaction-clauses/#query-listing-transactions
 */
import { randomUUID } from 'node:crypto';
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { noBookmarks } from './neo4j-connect.ts';
import { read } from './neo4j-read.ts';

/** How often a transaction that is under way is looked at. */
const lookMillis = 1_000;

/**
 * The number of looks in a row that find it blocked by the same transaction before it is ended. A blocker that is not
 * listed may have ended, or belong to a user whose transactions are not visible.
 */
const looksBeforeEnd = { listed: 2, notListed: 6 };

/** By this metadata, outgraph's own transactions are known. */
export interface WatchedMetadata {
  readonly outgraph: string;
}

/** A transaction that is being watched. */
export interface LockWatch {
  readonly metadata: WatchedMetadata;
  /** What to throw in the place of the transaction's own error. */
  readonly fault: () => Fault | undefined;
  readonly stop: () => void;
}

/** Begins to watch the transaction that is about to begin with this metadata. */
export function watchLocks(driver: Driver, database: string): LockWatch {
  const id = randomUUID();
  let fault: Fault | undefined;
  let last = { blocker: '', looks: 0 };
  let stopped = false;
  const look = async () => {
    const blocked = await findForeignLock(driver, database, id);
    const { blocker = '' } = blocked ?? {};
    last = { blocker, looks: blocker === last.blocker ? last.looks + 1 : 1 };
    if (blocked === undefined || stopped) return;
    if (last.looks < (blocked.isListed ? looksBeforeEnd.listed : looksBeforeEnd.notListed)) return;
    fault = new Fault(
      'graph-locked',
      `The transaction ${blocked.blocker} holds a lock that this event waits for, and outgraph did not begin it. Look at it with SHOW TRANSACTIONS, and end it with TERMINATE TRANSACTION "${blocked.blocker}" if it is stuck; the event is tried again.`,
    );
    await driver.executeQuery('TERMINATE TRANSACTION $id', { id: blocked.own }, { database, ...noBookmarks });
  };
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(async () => {
      // It only saves time: a server that does not answer has other trouble.
      await look().catch(() => undefined);
      if (!stopped) schedule();
    }, lookMillis);
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
  // With others of ours in front, it is their turn to notice.
  const blocker = blockers.find((name) => !ours.has(name));
  if (own === undefined || blocker === undefined) return undefined;
  return { own: own.name, blocker, isListed: transactions.some(({ name }) => name === blocker) };
}
