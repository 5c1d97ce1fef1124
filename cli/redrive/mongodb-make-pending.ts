/**
 * The way of settled events back to `pending`: as a writer would have written them. The sweep publishes them within a
 * minute or two: to it they have been pending since their positions.
 */
import { type Collection, type Document, Int32, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/**
 * Makes events pending again that are in a status, and returns how many still were. What they were settled with goes;
 * without `processedAt` they cannot be purged before they are applied.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function makePending(
  outbox: Collection<Document>,
  status: 'dead' | 'processed',
  eventIds: readonly string[],
): Promise<number> {
  const ids = eventIds.map(ObjectId.createFromHexString);
  const update = {
    $set: { status: 'pending', attempts: new Int32(0) },
    $unset: { nextAttemptAt: '', processedAt: '', deadAt: '', error: '' },
  };
  const result = await withMongodbFaults(() =>
    outbox.updateMany({ _id: { $in: ids }, status }, update, { writeConcern: { w: 'majority' } }),
  );
  return result.modifiedCount;
}
