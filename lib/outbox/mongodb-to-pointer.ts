/** Converts an outbox document, or a projection of it, to its pointer. */
import type { Document } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { aggregateTypePattern, isAggregateId } from '../contract/outbox-event.ts';
import type { Pointer } from '../contract/pointer.ts';

/**
 * Returns the pointer to an event; null if its `_id` is not an ObjectId. The sweep finds such an
 * event and marks it dead. Invalid names are replaced, because they may be too long to send. The
 * consumer reads the event by its id.
 */
export function toPointer({ _id, aggregateType, aggregateId, traceparent }: Document): Pointer | null {
  if (bsonTypeOf(_id) !== 'ObjectId') return null;
  const isType =
    typeof aggregateType === 'string' && aggregateType.length <= 64 && aggregateTypePattern.test(aggregateType);
  return {
    eventId: String(_id),
    aggregateType: isType ? aggregateType : 'invalid',
    aggregateId: isAggregateId(aggregateId) ? aggregateId : 'invalid',
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
}
