/**
 * From a stored outbox document to the event that the flows see. Each document is decoded on its own: one that cannot
 * be decoded says nothing about the others.
 */
import { BSON, type Document } from 'mongodb';
import {
  eventMaxBytes,
  type OutboxDocument,
  type OutboxEvent,
  outboxDocumentSchema,
} from '../contract/outbox-event.ts';
import { type Position, positionTime, toPosition } from '../contract/position.ts';
import type { TracedEvent } from '../contract/traceparent.ts';
import type { FetchedEvent } from './fetched-event.ts';

/**
 * How events are read so that their payloads keep every BSON type: `Int32`, `Long` and `Double` objects instead of
 * JavaScript numbers, which cannot tell 1.0 from 1, and lose what is beyond 2^53.
 */
export const exactTypes = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
} as const;

/** The same, for documents whose texts may not be UTF-8: U+FFFD takes the place of the wrong bytes. */
export const lenientTypes = { ...exactTypes, validation: { utf8: false } } as const;

/**
 * MongoDB does not check that texts are UTF-8, and a wrong one must not reach the graph as another. In a trace context
 * it does no harm: a malformed one counts as none.
 */
const strict = { ...exactTypes, validation: { utf8: { traceparent: false } } } as const;

/** A position may be ahead of the cluster's time by no more than this. */
export const futureSeconds = 300;

/** What the sweep adds to a pending event. */
const sweepBytes = 1024;

/** An event, or what is wrong with the document. */
export type EventReading =
  | { readonly outcome: 'read'; readonly event: OutboxEvent; readonly status: OutboxDocument['status'] }
  | { readonly outcome: 'invalid'; readonly reason: string };

/** Reads a document that was decoded with `exactTypes`. */
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

/**
 * Reads a document as its bytes.
 *
 * @param eventId by which it was asked for.
 * @param clusterTime of the server when it answered.
 */
export function readRawEvent(bytes: Uint8Array, eventId: string, clusterTime: Position | null): FetchedEvent {
  const { document, isExact } = decode(bytes);
  const event = tracedEvent(eventId, document);
  const { status } = document;
  if (status === 'processed' || status === 'dead') return { status, event };
  const invalid = (reason: string) => ({ status: 'invalid', code: 'event-invalid', event, reason }) as const;
  if (!isExact)
    return invalid(
      'A text in the event is not valid UTF-8: it must be written again by a writer that checks its texts.',
    );
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

/** Whether a position is ahead of the cluster's time by more than the server could have put it. */
export function isInFuture(position: Position, clusterTime: Position): boolean {
  return positionTime(position).getTime() > positionTime(clusterTime).getTime() + futureSeconds * 1000;
}

/** Why such an event is dead. */
export function futureText(position: Position): string {
  return `The position ${positionTime(position).toISOString()} lies ahead of the cluster's time: a writer filled it in. Writers insert an empty timestamp, Timestamp(0, 0), and the server assigns the position.`;
}

/**
 * The document; not exact if a text of it is not UTF-8, and has replacement characters here. Of one that cannot be
 * decoded at all, nothing is known.
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

/** Without the payload, which need not be kept for what is not applied; the document may be anything. */
function tracedEvent(eventId: string, { aggregateType, traceparent }: Document): TracedEvent {
  return {
    eventId,
    ...(typeof aggregateType === 'string' ? { aggregateType } : {}),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
}
