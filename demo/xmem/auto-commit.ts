/**
 * How XMem talks to Neo4j: each statement is a transaction of its own, sent when the one before has answered. Kinder
 * than XMem: one that met a deadlock is sent again.
 */
import { type Driver, isRetryableError, type RecordShape, type Session } from 'neo4j-driver';

/** Sends statements, and counts them. */
export interface AutoCommit {
  readonly run: (statement: string, parameters?: RecordShape) => Promise<readonly RecordShape[]>;
  readonly transactions: () => number;
  readonly close: () => Promise<void>;
}

/** Opens a session; close it after use. */
export function openAutoCommit(driver: Driver, database: string): AutoCommit {
  const session = driver.session({ database });
  let transactions = 0;
  return {
    run: async (statement, parameters = {}) => {
      transactions += 1;
      const { records } = await runAgain(session, statement, parameters);
      return records.map((record) => record.toObject());
    },
    transactions: () => transactions,
    close: () => session.close(),
  };
}

async function runAgain(session: Session, statement: string, parameters: RecordShape) {
  for (;;) {
    try {
      return await session.run(statement, parameters);
    } catch (error) {
      if (!isRetryableError(error)) throw error;
    }
  }
}
