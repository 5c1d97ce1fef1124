/** Joins the caller's transaction, or runs a new one. */
import {
  type ClientSession,
  MongoBulkWriteError,
  type MongoClient,
  type MongoError,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { forbidCommitOnFailure } from './forbid-commit.ts';
import { requireTransaction } from './require-transaction.ts';

/**
 * Overrides the client's settings. Documents must be compared and recorded as the primary has them,
 * and must not be rolled back.
 */
const transactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
} as const;

/**
 * Runs `work` in the transaction of the given session. Without one, runs it in a new transaction.
 * The driver retries that transaction as a whole after a conflict or a failover, so `work` may run
 * more than once.
 *
 * @throws Fault `write-concern` if the caller's transaction could be rolled back after its commit;
 * `no-transaction` if the server is a standalone, which has no transactions.
 */
export async function inTransaction<Result>(
  client: MongoClient,
  session: ClientSession | undefined,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  if (session?.inTransaction()) {
    requireTransaction(session);
    return forbidCommitOnFailure(session, () => labelTransient(() => work(session)));
  }
  const run = (own: ClientSession) => own.withTransaction(() => labelTransient(() => work(own)), transactionOptions);
  if (session) return run(session);
  return client.withSession((own) => run(withCommitRetry(own)));
}

/**
 * Runs an operation of a transaction. If it fails and the server cannot have committed it, the
 * error gets the label that makes `withTransaction` retry.
 *
 * The driver adds this label itself, except if the connection's pool was just cleared, as it is
 * when a primary fails: its `decorateCommandError` returns early for stale connections (seen in
 * 7.9). Without the label, a writer would fail during a failover.
 *
 * https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md#transienttransactionerror
 */
export async function labelTransient<Result>(operation: () => Promise<Result>): Promise<Result> {
  return labelLostResponse('TransientTransactionError', operation);
}

/**
 * Makes the session retry its commit if the response is lost; MongoDB treats a repeated commit as
 * one. The driver omits this label in the same case.
 */
function withCommitRetry(session: ClientSession): ClientSession {
  const commit = session.commitTransaction.bind(session);
  session.commitTransaction = (...options) =>
    labelLostResponse('UnknownTransactionCommitResult', () => commit(...options));
  return session;
}

async function labelLostResponse<Result>(label: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (isResponseLost(error)) error.addErrorLabel(label);
    throw isStandalone(error) ? standaloneFault(error) : error;
  }
}

/**
 * Whether the connection ended, so that it is unknown what the server did with the command. A bulk
 * write wraps that error and then has no server code.
 */
function isResponseLost(error: unknown): error is MongoError {
  return error instanceof MongoNetworkError || (error instanceof MongoBulkWriteError && error.code === undefined);
}

/**
 * IllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos" (seen
 * with MongoDB 6.0). The driver may wrap it in an error without a code (7.0).
 */
function isStandalone(error: unknown): error is MongoServerError {
  if (!(error instanceof MongoServerError)) return false;
  const { code, message } = error.originalError instanceof MongoServerError ? error.originalError : error;
  return code === 20 && message.startsWith('Transaction numbers');
}

function standaloneFault(cause: MongoServerError): Fault {
  return new Fault(
    'no-transaction',
    'This MongoDB is a standalone server, which has no transactions. Convert it to a replica set, of at least ' +
      'one member (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).',
    { cause },
  );
}
