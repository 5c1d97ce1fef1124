/**
 * A valid outbox document, as a writer in any language inserts it. A test names only the fields
 * that matter to it.
 */
import { type Document, Int32, ObjectId, Timestamp } from 'mongodb';

/** A pending deletion of a new aggregate, unless `fields` say otherwise. */
export function outboxEvent(fields: Document = {}): Document & { _id: ObjectId } {
  return {
    _id: new ObjectId(),
    aggregateType: 'graph',
    aggregateId: new ObjectId().toHexString(),
    operation: 'delete',
    position: new Timestamp({ t: 0, i: 0 }),
    createdAt: new Date(),
    status: 'pending',
    attempts: new Int32(0),
    ...fields,
  };
}

/** A pending event with this full state; null is a deletion. */
export function upsertEvent(payload: Document | null, fields: Document = {}): Document & { _id: ObjectId } {
  return outboxEvent(payload === null ? fields : { operation: 'upsert', payload, ...fields });
}
