/** Checks a session before an event is recorded with it. */
import type { ClientSession } from 'mongodb';
import { Fault } from '../contract/fault.ts';

/**
 * @throws Fault `no-transaction` or `write-concern` unless the session has a running transaction
 * that cannot be rolled back once it is committed.
 */
export function requireTransaction(session: ClientSession): void {
  if (!session?.inTransaction()) {
    throw new Fault(
      'no-transaction',
      'An event must be recorded in the transaction that writes its document: ' +
        'start one (session.withTransaction), and pass its session.',
    );
  }
  const { transaction } = session as unknown as {
    readonly transaction?: { readonly options?: { readonly writeConcern?: { readonly w?: unknown } } };
  };
  const w = transaction?.options?.writeConcern?.w;
  if (w !== undefined && w !== 'majority') {
    throw new Fault(
      'write-concern',
      `The transaction's write concern is ${String(w)}: ` +
        'use "majority", because a write that could be rolled back must not reach the graph.',
    );
  }
}
