/**
 * Prevents the commit of a caller's transaction in which the library has failed, even if the caller
 * catches the error.
 */
import { type ClientSession, MongoTransactionError } from 'mongodb';
import { Fault } from '../contract/fault.ts';

/**
 * Runs `work` in a transaction of the caller. If it fails, written documents may lack their events,
 * so the transaction can only be aborted.
 *
 * The session stays in its transaction until the caller ends it. If the library aborted it, the
 * caller's next writes with the session would run outside any transaction.
 */
export async function forbidCommitOnFailure<Result>(
  session: ClientSession,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (session?.inTransaction()) forbidCommit(session, error);
    throw error;
  }
}

function forbidCommit(session: ClientSession, cause: unknown): void {
  const { commitTransaction, abortTransaction } = session;
  session.abortTransaction = (...options) => {
    Object.assign(session, { commitTransaction, abortTransaction });
    return session.abortTransaction(...options);
  };
  session.commitTransaction = async () => {
    await session.abortTransaction();
    const reason = cause instanceof Fault ? cause.message : 'see its cause.';
    const refusal = new MongoTransactionError(
      'The transaction was aborted, because a write in it failed and the ' +
        `error was caught: let the error end the transaction. The error: ${reason}`,
    );
    if (cause instanceof Error) refusal.cause = cause;
    throw refusal;
  };
}
