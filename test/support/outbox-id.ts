/**
 * The id that the outboxes of test databases share. Each test file has its own MongoDB database,
 * and all share one Neo4j, in which each uses its own labels and keys. outgraph does not let two
 * outboxes feed one graph, so to outgraph they are one outbox.
 */
import type { Db } from 'mongodb';
import { identityCollection } from '../../lib/outbox/collections.ts';

export const testOutboxId = '00000000-0000-4000-8000-000000000001';

/**
 * Gives the outbox of a database the shared id, or the id of an already bound graph. Call it before
 * the set-up, which keeps the id.
 */
export async function shareOutboxId(db: Db, outboxId = testOutboxId): Promise<void> {
  await db
    .collection<{ _id: string }>(identityCollection)
    .updateOne({ _id: 'outbox' }, { $set: { outboxId } }, { upsert: true });
}
