/** Acknowledges events: marks them processed, after the Neo4j commit. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/**
 * Marks pending events processed, with the server's time, and returns how many it marked. Leaves
 * dead and processed events unchanged.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function acknowledgeEvents(outbox: Collection<Document>, eventIds: readonly string[]): Promise<number> {
  const ids = eventIds.map((id) => ObjectId.createFromHexString(id));
  const result = await withMongodbFaults(() =>
    outbox.updateMany(
      { _id: { $in: ids }, status: 'pending' },
      { $set: { status: 'processed' }, $currentDate: { processedAt: true } },
      { writeConcern: { w: 'majority' } },
    ),
  );
  return result.modifiedCount;
}
