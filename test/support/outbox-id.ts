/**
 * The id that the outboxes of test databases share. Test files have a MongoDB database each, and
 * share one Neo4j, where each has labels and keys of its own; to outgraph, which lets no two
 * outboxes feed one graph, they are one outbox.
 */
import type { Db } from 'mongodb';
import { identityCollection } from '../../lib/outbox/collections.ts';

export const testOutboxId = '00000000-0000-4000-8000-000000000001';

/**
 * Gives the outbox of a database the shared id, or that of a graph that is bound already; call it
 * before the set-up, which keeps it.
 */
export async function shareOutboxId(db: Db, outboxId = testOutboxId): Promise<void> {
  await db
    .collection<{ _id: string }>(identityCollection)
    .updateOne({ _id: 'outbox' }, { $set: { outboxId } }, { upsert: true });
}
