/**
 * Converts stored outbox documents to events. Each document is decoded separately, so that one that
 * cannot be decoded does not affect the others.
 */
import { BSON, type Document } from 'mongodb';
import { exactTypes, lenientTypes } from '../contract/exact-types.ts';
import { eventMaxBytes, type OutboxDocument, type OutboxEvent } from '../contract/outbox-event.ts';
import { outboxDocumentSchema } from '../contract/outbox-schema.ts';
import { type Position, positionTime, toPosition } from '../contract/position.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { FetchedEvent } from './fetched-event.ts';

/**
 * MongoDB does not check that text is UTF-8, and invalid text must not reach the graph in another
 * form. In a trace context it is harmless, because a malformed one counts as none.
 */
const strict = { ...exactTypes, validation: { utf8: { traceparent: false } } } as const;

/** Maximum time that a position may be ahead of the cluster's time. */
export const futureSeconds = 300;

/** Size of the fields that the sweep adds to a pending event. */
const sweepBytes = 1024;

/** An event, or the reason why the document is invalid. */
export type EventReading =
  | { readonly outcome: 'read'; readonly event: OutboxEvent; readonly status: OutboxDocument['status'] }
  | { readonly outcome: 'invalid'; readonly reason: string };

/** Reads a document that was decoded with `exactTypes`. */
export function readOutboxEvent(document: Document): EventReading {
  const parsed = outboxDocumentSchema.safeParse({ ...document, attempts: Number(document.attempts) });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    return { outcome: 'invalid', reason: `The event bypassed the outbox's validator: ${problems.join('; ')}.` };
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

/**
 * Reads a document from its bytes.
 *
 * @param eventId the id that was requested.
 * @param clusterTime the cluster's time when the server responded.
 */
export function readRawEvent(bytes: Uint8Array, eventId: string, clusterTime: Position | null): FetchedEvent {
  const { document, isExact } = decode(bytes);
  const event = tracedEvent(eventId, document);
  const { status } = document;
  if (status === 'processed' || status === 'dead') return { status, event };
  const invalid = (reason: string) => ({ status: 'invalid', code: 'event-invalid', event, reason }) as const;
  if (!isExact)
    return invalid('Text in the event is not valid UTF-8. Write it again with a writer that checks its text.');
  if (bytes.length > eventMaxBytes + sweepBytes)
    return invalid(`The event has ${bytes.length} bytes; at most ${eventMaxBytes} can be settled.`);
  const reading = readOutboxEvent(document);
  if (reading.outcome === 'invalid') return invalid(reading.reason);
  const { position } = reading.event;
  if (clusterTime !== null && isInFuture(position, clusterTime)) {
    return { status: 'invalid', code: 'position-in-future', event, reason: futureText(position) };
  }
  return { status: 'pending', event: reading.event };
}

/** Whether a position is further ahead of the cluster's time than the server could have set it. */
export function isInFuture(position: Position, clusterTime: Position): boolean {
  return positionTime(position).getTime() > positionTime(clusterTime).getTime() + futureSeconds * 1000;
}

/** Returns why such an event is dead. */
export function futureText(position: Position): string {
  return (
    `The position ${positionTime(position).toISOString()} is ahead of the cluster's time: a writer set it. ` +
    'Writers must insert an empty timestamp, Timestamp(0, 0); the server assigns the position.'
  );
}

/**
 * Decodes the document. `isExact` is false if its text contains invalid UTF-8, which is replaced
 * here. A document that cannot be decoded at all is returned empty.
 */
function decode(bytes: Uint8Array): { readonly document: Document; readonly isExact: boolean } {
  try {
    return { document: BSON.deserialize(bytes, strict), isExact: true };
  } catch {
    try {
      return { document: BSON.deserialize(bytes, lenientTypes), isExact: false };
    } catch {
      return { document: {}, isExact: false };
    }
  }
}

/**
 * Returns the event without its payload, which an event that is not applied does not need. The
 * document may be anything.
 */
function tracedEvent(eventId: string, { aggregateType, traceparent }: Document): TracedEvent {
  return {
    eventId,
    ...(typeof aggregateType === 'string' ? { aggregateType } : {}),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
}
