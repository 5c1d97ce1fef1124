/** From a stored document to what an operator sees of a dead event, whatever its fields are. */
import type { Document } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';
import { toPosition } from '../../lib/contract/position.ts';
import type { DeadDetails, DeadRow } from './dead-list.ts';

/** What a list says of it. */
export function toDeadRow({ _id, aggregateType, aggregateId, operation, deadAt, error }: Document): DeadRow {
  return {
    eventId: String(_id),
    aggregateType: String(aggregateType),
    aggregateId: String(aggregateId),
    operation: String(operation),
    deadAt,
    code: String(error?.code),
    message: String(error?.message),
  };
}

/** The same with its other fields. */
export function toDeadDetails(document: Document): DeadDetails {
  const { position, createdAt, attempts, traceparent } = document;
  return {
    ...toDeadRow(document),
    position: bsonTypeOf(position) === 'Timestamp' ? toPosition(position) : null,
    createdAt: createdAt instanceof Date ? createdAt : null,
    attempts: Number(attempts ?? 0),
    traceparent: typeof traceparent === 'string' ? traceparent : null,
  };
}
