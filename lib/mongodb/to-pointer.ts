/** From an outbox document, or what a projection left of it, to its pointer. */
import type { Document } from 'mongodb';
import type { Pointer } from '../contract/pointer.ts';

/** The pointer to an event. */
export function toPointer({ _id, aggregateType, aggregateId, traceparent }: Document): Pointer {
  return {
    eventId: String(_id),
    aggregateType: String(aggregateType),
    aggregateId: String(aggregateId),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
}
