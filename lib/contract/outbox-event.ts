/**
 * The outbox document: the fields that a writer inserts in the transaction of its document, and the
 * fields that outgraph adds later. The writers' check and the MongoDB validator
 * (`lib/set-up/mongodb-validator.ts`) both use this schema.
 */
import type { Document, ObjectId, Timestamp } from 'bson';
import { z } from 'zod';
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

/**
 * Returns a schema for a value of one BSON type. The MongoDB validator requires the same
 * `bsonType`.
 */
function bson<T>(bsonType: string, check: (value: unknown) => boolean) {
  return z.custom<T>(check, `must be a BSON ${bsonType}`).meta({ bsonType });
}

function hasBsonType(value: unknown, name: string): boolean {
  return bsonTypeOf(value) === name;
}

const text = z.string().meta({ bsonType: 'string' });
const date = bson<Date>('date', (value) => value instanceof Date && !Number.isNaN(value.getTime()));
const int32 = z.int32().min(0).meta({ bsonType: 'int' });

const fields = z.strictObject({
  _id: bson<ObjectId>('objectId', (value) => hasBsonType(value, 'ObjectId')),
  aggregateType: text.regex(aggregateTypePattern).max(64),
  aggregateId: text.min(1),
  operation: z.enum(operations),
  payload: bson<Document>('object', isPlainObject).optional(),
  position: bson<Timestamp>('timestamp', (value) => hasBsonType(value, 'Timestamp')),
  createdAt: date,
  // Any text is valid. It often comes from a header of an untrusted request and must not abort the
  // writer's transaction. A malformed one counts as none (`traceparent.ts`).
  traceparent: text.optional(),
  status: z.enum(statuses),
  attempts: int32,
  nextAttemptAt: date.optional(),
  processedAt: date.optional(),
  deadAt: date.optional(),
  error: z.strictObject({ code: text, message: text }).meta({ bsonType: 'object' }).optional(),
});

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

/** The fields without the rules between them. */
export const outboxFieldsSchema = fields;

/**
 * A whole outbox document, with the rules between its fields.
 *
 * @example
 * outboxDocumentSchema.parse({
 *   _id: new ObjectId(), aggregateType: 'graph', aggregateId: 'a', operation: 'delete',
 *   position: new Timestamp(0n), createdAt: new Date(), status: 'pending', attempts: 0,
 * });
 */
export const outboxDocumentSchema = fields.superRefine((event, context) => {
  if (!isShortEnough(event.aggregateId)) {
    context.addIssue({
      code: 'custom',
      path: ['aggregateId'],
      message: `must be at most ${aggregateIdMaxBytes} bytes of UTF-8`,
    });
  }
  const present = event as Readonly<Record<string, unknown>>;
  for (const rule of fieldRules) {
    const value = event[rule.when.field];
    if (!rule.when.is.includes(value)) continue;
    for (const field of rule.required) {
      if (present[field] === undefined) {
        context.addIssue({ code: 'custom', path: [field], message: `is required with ${rule.when.field} ${value}` });
      }
    }
    for (const field of rule.forbidden) {
      if (present[field] !== undefined) {
        context.addIssue({ code: 'custom', path: [field], message: `must be absent with ${rule.when.field} ${value}` });
      }
    }
  }
});

/** An outbox document as MongoDB holds it. */
export type OutboxDocument = z.infer<typeof fields>;

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

/** Whether the value is a valid `aggregateId`. */
export function isAggregateId(value: unknown): value is string {
  return fields.shape.aggregateId.safeParse(value).success && isShortEnough(value as string);
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

function isShortEnough(aggregateId: string): boolean {
  return new TextEncoder().encode(aggregateId).length <= aggregateIdMaxBytes;
}

function isPlainObject(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    bsonTypeOf(value) === undefined &&
    !(value instanceof Date)
  );
}
