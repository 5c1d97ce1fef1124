/** The acknowledgement: marks events processed, after the Neo4j commit. */
import { type Collection, type Document, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/**
 * Marks the events processed by the server's clock, and returns how many were still pending. One that is dead or
 * processed already stays as it is.
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
