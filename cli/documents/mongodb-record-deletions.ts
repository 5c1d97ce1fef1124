/**
 * Records the deletion of aggregates that have no document any more, at places in the order that are told and not
 * filled in by the server: right behind what is known of each. Whatever a writer has recorded since is newer, and so is
 * what one records at this moment: no lock is needed.
 */
import { type Collection, type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { fromPosition, type Position } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';

/** An aggregate without a document. */
export interface MissingAggregate {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The newest position that is known of it, in the graph or in the outbox. */
  readonly knownPosition: Position;
}

/** Records a deletion for each. Twice the same does no harm. @throws Fault `mongodb-unavailable`. */
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
