/** From a stored outbox document to the event that the flows see. */
import type { Document } from 'mongodb';
import { type OutboxDocument, type OutboxEvent, outboxDocumentSchema } from '../contract/outbox-event.ts';
import { toPosition } from '../contract/position.ts';

/**
 * How events are read so that their payloads keep every BSON type: `Int32`, `Long` and `Double` objects instead of JavaScript numbers,
 * which cannot tell 1.0 from 1, and lose what is beyond 2^53.
 */
export const exactTypes = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
} as const;

/** An event, or what is wrong with the document. */
export type EventReading =
  | { readonly outcome: 'read'; readonly event: OutboxEvent; readonly status: OutboxDocument['status'] }
  | { readonly outcome: 'invalid'; readonly reason: string };

/** Reads a document that was fetched with `exactTypes`. */
export function readOutboxEvent(document: Document): EventReading {
  const parsed = outboxDocumentSchema.safeParse({ ...document, attempts: Number(document.attempts) });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    return { outcome: 'invalid', reason: `The event was written past the outbox's validator: ${problems.join('; ')}.` };
  }
  const { _id, aggregateType, aggregateId, operation, payload, position, createdAt, traceparent, status } = parsed.data;
  const common = {
    eventId: _id.toHexString(),
    aggregateType,
    aggregateId,
    position: toPosition(position),
    createdAt,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  const event: OutboxEvent =
    operation === 'upsert' ? { ...common, operation, payload: payload ?? {} } : { ...common, operation };
  return { outcome: 'read', event, status };
}
