/** From an outbox document, or what a projection left of it, to its pointer. */
import type { Document } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { aggregateTypePattern, isAggregateId } from '../contract/outbox-event.ts';
import type { Pointer } from '../contract/pointer.ts';

/**
 * The pointer to an event; null if there can be none, because its `_id` is no ObjectId: the sweep finds such an event,
 * and marks it dead. Names that no event may have are replaced: they may be too long to travel, and the consumer reads
 * the event by its id.
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
