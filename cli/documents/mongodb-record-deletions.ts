/**
 * Records deletions of aggregates without a document. The server does not fill in their positions:
 * each position is directly after the newest known position of its aggregate. Events that writers
 * have recorded since, or record now, are newer, so no lock is needed.
 */
import { type Collection, type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { fromPosition, type Position } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** An aggregate without a document. */
export interface MissingAggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The aggregate's newest position in the graph or in the outbox. */
  readonly knownPosition: Position;
}

/**
 * Records a deletion for each aggregate. Recording one twice is harmless.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function recordDeletions(
  outbox: Collection<Document>,
  missing: readonly MissingAggregate[],
  createdAt: Date,
): Promise<void> {
  if (missing.length === 0) return;
  const events = missing.map(({ aggregateType, aggregateId, knownPosition }) => {
    const { t, i } = fromPosition(knownPosition);
    return {
      _id: new ObjectId(),
      aggregateType,
      aggregateId,
      operation: 'delete',
      position: new Timestamp({ t, i: i + 1 }),
      createdAt,
      status: 'pending',
      attempts: new Int32(0),
    };
  });
  await withMongodbFaults(() => outbox.insertMany(events, { writeConcern: { w: 'majority' } }));
}
