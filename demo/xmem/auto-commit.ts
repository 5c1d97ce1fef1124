/**
 * Sends statements to Neo4j as XMem does: each is its own transaction, sent after the previous one
 * was answered. Unlike XMem, it retries after a deadlock.
 */
import { type Driver, isRetryableError, type RecordShape, type Session } from 'neo4j-driver';

/** Sends statements, and counts them. */
export interface AutoCommit {
  readonly run: (statement: string, parameters?: RecordShape) => Promise<readonly RecordShape[]>;
  readonly transactions: () => number;
  readonly close: () => Promise<void>;
}

/** Opens a session. Close it after use. */
export function openAutoCommit(driver: Driver, database: string): AutoCommit {
  const session = driver.session({ database });
  let transactions = 0;
  return {
    run: async (statement, parameters = {}) => {
      transactions += 1;
      const { records } = await runWithRetry(session, statement, parameters);
      return records.map((record) => record.toObject());
    },
    transactions: () => transactions,
    close: () => session.close(),
  };
}

async function runWithRetry(session: Session, statement: string, parameters: RecordShape) {
  for (;;) {
    try {
      return await session.run(statement, parameters);
    } catch (error) {
      if (!isRetryableError(error)) throw error;
    }
  }
}
