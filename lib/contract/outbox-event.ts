/**
 * The outbox document: the fields that a writer inserts in the transaction of its document, the
 * fields that outgraph adds later, and the checks of what a writer chooses. `outbox-schema.ts`
 * describes the whole document. This file needs no library, so that a writer's install stays small.
 */
import type { Document, ObjectId, Timestamp } from 'bson';
import { bsonTypeOf } from './bson-type.ts';
import type { Position } from './position.ts';

/** Name of the outbox collection, in the database of the documents. */
export const outboxCollection = 'outbox';

/**
 * Version of the contract: of the fields that a writer inserts, and of their rules. The writers in
 * Python and Go have the same constant. The set-up records it with the outbox, and `outgraph doctor`
 * compares it.
 */
export const contractVersion = 1;

/** Maximum length of an `aggregateId`, in bytes of UTF-8. */
export const aggregateIdMaxBytes = 512;

/**
 * Maximum size of a whole event, in bytes: MongoDB's limit for a document, minus space for the
 * fields that are added when the event is settled.
 *
 * https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size
 */
export const eventMaxBytes = 16 * 1024 * 1024 - 16 * 1024;

/** An aggregate type: lower-case words joined by hyphens. */
export const aggregateTypePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Maximum length of an aggregate type, in characters. */
export const aggregateTypeMaxLength = 64;

export const operations = ['upsert', 'delete'] as const;
export type Operation = (typeof operations)[number];

/**
 * The states of an event.
 *
 * - `pending`: as the writer wrote it. The consumer ends this state (`processed`, `dead`), or the
 *   sweep does when the event's attempts are exhausted (`dead`).
 * - `processed`: this state, or a newer one of the same aggregate, is committed in Neo4j. The TTL
 *   index purges the event.
 * - `dead`: can never be applied as it is. Kept until a person redrives it (back to `pending`) or
 *   discards it (out of the outbox).
 */
export const statuses = ['pending', 'processed', 'dead'] as const;
export type EventStatus = (typeof statuses)[number];

/** A field's value that requires or forbids other fields. */
export interface FieldRule {
  readonly when: { readonly field: 'operation' | 'status'; readonly is: readonly string[] };
  readonly required: readonly string[];
  readonly forbidden: readonly string[];
}

/** Rules between the fields of an event. The MongoDB validator is generated from them too. */
export const fieldRules: readonly FieldRule[] = [
  { when: { field: 'operation', is: ['upsert'] }, required: ['payload'], forbidden: [] },
  { when: { field: 'operation', is: ['delete'] }, required: [], forbidden: ['payload'] },
  { when: { field: 'status', is: ['pending'] }, required: [], forbidden: ['processedAt', 'deadAt', 'error'] },
  { when: { field: 'status', is: ['processed'] }, required: ['processedAt'], forbidden: ['deadAt', 'error'] },
  { when: { field: 'status', is: ['dead'] }, required: ['deadAt', 'error'], forbidden: ['processedAt'] },
];

/** An outbox document as MongoDB holds it. */
export interface OutboxDocument {
  readonly _id: ObjectId;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly operation: Operation;
  readonly payload?: Document | undefined;
  readonly position: Timestamp;
  readonly createdAt: Date;
  readonly traceparent?: string | undefined;
  readonly status: EventStatus;
  readonly attempts: number;
  readonly nextAttemptAt?: Date | undefined;
  readonly processedAt?: Date | undefined;
  readonly deadAt?: Date | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/**
 * An event as read from the outbox. Its position is a comparable string, and its payload keeps
 * every BSON type (`Int32`, `Long` and `Double` objects instead of JavaScript numbers).
 */
export type OutboxEvent = Readonly<{
  eventId: string;
  aggregateType: string;
  aggregateId: string;
  position: Position;
  createdAt: Date;
  traceparent?: string;
}> &
  (Readonly<{ operation: 'upsert'; payload: Document }> | Readonly<{ operation: 'delete' }>);

/** Whether the text is a valid `aggregateType`. */
export function isAggregateType(text: string): boolean {
  return aggregateTypePattern.test(text) && text.length <= aggregateTypeMaxLength;
}

/** Whether the value is a valid `aggregateId`. */
export function isAggregateId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && isShortEnough(value);
}

/**
 * Returns a key for an aggregate across types. It is unambiguous, because types contain no colon.
 */
export function aggregateKey(aggregate: { readonly aggregateType: string; readonly aggregateId: string }): string {
  return `${aggregate.aggregateType}:${aggregate.aggregateId}`;
}

/** Splits a key of `aggregateKey`. */
export function splitAggregateKey(key: string): { readonly aggregateType: string; readonly aggregateId: string } {
  const colon = key.indexOf(':');
  return { aggregateType: key.slice(0, colon), aggregateId: key.slice(colon + 1) };
}

/** Whether a text is no longer than an `aggregateId` may be. */
export function isShortEnough(aggregateId: string): boolean {
  return new TextEncoder().encode(aggregateId).length <= aggregateIdMaxBytes;
}

/** Whether the value is a BSON object, as a payload must be. */
export function isPlainObject(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    bsonTypeOf(value) === undefined &&
    !(value instanceof Date)
  );
}
