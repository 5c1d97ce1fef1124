/** Joins the caller's transaction, or runs one of its own. */
import type { ClientSession, MongoClient } from 'mongodb';

/**
 * Runs `work` in the transaction of the given session; without one, in a new transaction, which the driver retries as a whole when it meets a
 * conflict or a failover. `work` may therefore run more than once.
 */
export async function inTransaction<Result>(
  client: MongoClient,
  session: ClientSession | undefined,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  if (session?.inTransaction()) return work(session);
  const options = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } } as const;
  if (session !== undefined) return session.withTransaction(() => work(session), options);
  return client.withSession((own) => own.withTransaction(() => work(own), options));
}
