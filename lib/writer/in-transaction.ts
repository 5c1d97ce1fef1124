/** Joins the caller's transaction, or runs one of its own. */
import {
  type ClientSession,
  MongoBulkWriteError,
  type MongoClient,
  type MongoError,
  MongoNetworkError,
  MongoServerError,
} from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { commitsOnlyWith } from './forbid-commit.ts';
import { requireTransaction } from './require-transaction.ts';

/**
 * Whatever the client's own settings are: what is compared and recorded is read from the primary, and is not rolled
 * back.
 */
const ownTransaction = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority' },
  readPreference: 'primary',
} as const;

/**
 * Runs `work` in the transaction of the given session; without one, in a new transaction, which the driver retries as a
 * whole when it meets a conflict or a failover. `work` may therefore run more than once.
 *
 * @throws Fault `write-concern` if the caller's transaction could be rolled back after its commit; `no-transaction` if
 * the server is a standalone, which has no transactions.
 */
export async function inTransaction<Result>(
  client: MongoClient,
  session: ClientSession | undefined,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  if (session?.inTransaction()) {
    requireTransaction(session);
    return commitsOnlyWith(session, () => labelTransient(() => work(session)));
  }
  const run = (own: ClientSession) => own.withTransaction(() => labelTransient(() => work(own)), ownTransaction);
  if (session !== undefined) return run(session);
  return client.withSession((own) => run(withLabelledCommit(own)));
}

/**
 * Runs an operation of a transaction; an error by which the server cannot have done it for good gets the label that
 * makes `withTransaction` begin again.
 *
 * The driver labels such errors itself, but not where the connection's pool was cleared a moment before, as it is when
 * a primary dies: its `decorateCommandError` returns early for stale connections (seen in 7.9). Without the label, a
 * writer would fail in the middle of a failover.
 *
 * https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md#transienttransactionerror
 */
export async function labelTransient<Result>(operation: () => Promise<Result>): Promise<Result> {
  return labelLost('TransientTransactionError', operation);
}

/**
 * A session whose commit, when its answer is lost, is sent again: MongoDB takes a commit twice for one. The driver
 * forgets this label in the same case.
 */
function withLabelledCommit(session: ClientSession): ClientSession {
  const commit = session.commitTransaction.bind(session);
  session.commitTransaction = (...options) => labelLost('UnknownTransactionCommitResult', () => commit(...options));
  return session;
}

async function labelLost<Result>(label: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    if (isLostAnswer(error)) error.addErrorLabel(label);
    throw isStandalone(error) ? standaloneFault(error) : error;
  }
}

/**
 * The connection ended, and nobody knows what the server made of the command. A bulk write wraps that error, and has no
 * code of the server then.
 */
function isLostAnswer(error: unknown): error is MongoError {
  return error instanceof MongoNetworkError || (error instanceof MongoBulkWriteError && error.code === undefined);
}

/**
 * IllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos" (seen of MongoDB 6.0). The
 * driver may wrap it in an error without a code (7.0).
 */
function isStandalone(error: unknown): error is MongoServerError {
  if (!(error instanceof MongoServerError)) return false;
  const { code, message } = error.originalError instanceof MongoServerError ? error.originalError : error;
  return code === 20 && message.startsWith('Transaction numbers');
}

function standaloneFault(cause: MongoServerError): Fault {
  return new Fault(
    'no-transaction',
    'This MongoDB is a standalone server, which has no transactions: make it a replica set, of one member at least (https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/).',
    { cause },
  );
}
