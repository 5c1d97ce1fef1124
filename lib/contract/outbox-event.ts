/**
 * The outbox document: what a writer inserts in the transaction that writes its document, and what outgraph adds to it
 * later. This schema is the one source of the writers' check and of the MongoDB validator
 * (`lib/set-up/mongodb-validator.ts`).
 */
import type { Document, ObjectId, Timestamp } from 'bson';
import { z } from 'zod';
import { bsonTypeOf } from './bson-type.ts';
import type { Position } from './position.ts';

/** The collection's name, in the database of the documents that its events speak of. */
export const outboxCollection = 'outbox';

/** At most this many bytes of UTF-8 in an `aggregateId`. */
export const aggregateIdMaxBytes = 512;

/**
 * At most this many bytes in a whole event: MongoDB's limit for a document, less the room for what is written to an
 * event when it is settled.
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
 * - `pending`: as the writer wrote it; leaves by the consumer (`processed`, `dead`) or, exhausted, by the sweep
 *   (`dead`).
 * - `processed`: this state, or a newer one of the same aggregate, is committed in Neo4j; purged by the TTL index.
 * - `dead`: can never be applied as it is; kept until a person redrives it (back to `pending`) or discards it (out of
 *   the outbox).
 */
export const statuses = ['pending', 'processed', 'dead'] as const;
export type EventStatus = (typeof statuses)[number];

/** A schema for a value of one BSON type; `bsonType` is what the MongoDB validator demands of the same field. */
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
  // Any text: often a stranger's header, which must not end the writer's transaction. A malformed one is as good as
  // none (`traceparent.ts`).
  traceparent: text.optional(),
  status: z.enum(statuses),
  attempts: int32,
  nextAttemptAt: date.optional(),
  processedAt: date.optional(),
  deadAt: date.optional(),
  error: z.strictObject({ code: text, message: text }).meta({ bsonType: 'object' }).optional(),
});

/** A field's value that demands or forbids other fields. */
export interface FieldRule {
  readonly when: { readonly field: 'operation' | 'status'; readonly is: readonly string[] };
  readonly required: readonly string[];
  readonly forbidden: readonly string[];
}

/** What the fields of an event say about each other; the MongoDB validator is generated from the same rules. */
export const fieldRules: readonly FieldRule[] = [
  { when: { field: 'operation', is: ['upsert'] }, required: ['payload'], forbidden: [] },
  { when: { field: 'operation', is: ['delete'] }, required: [], forbidden: ['payload'] },
  { when: { field: 'status', is: ['pending'] }, required: [], forbidden: ['processedAt', 'deadAt', 'error'] },
  { when: { field: 'status', is: ['processed'] }, required: ['processedAt'], forbidden: ['deadAt', 'error'] },
  { when: { field: 'status', is: ['dead'] }, required: ['deadAt', 'error'], forbidden: ['processedAt'] },
];

/** The fields by themselves, without the rules between them. */
export const outboxFieldsSchema = fields;

/**
 * A whole outbox document, with the rules between its fields.
 *
 * @example
 * outboxDocumentSchema.parse({
 *   _id: new ObjectId(), aggregateType: 'graph', aggregateId: 'a', operation: 'delete', position: new Timestamp(0n),
 *   createdAt: new Date(), status: 'pending', attempts: 0,
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
 * An event as the flows see it: read from the outbox, its position as a string that compares, its payload with every
 * BSON type kept (`Int32`, `Long` and `Double` objects instead of JavaScript numbers).
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

/** Whether an event may name its aggregate so. */
export function isAggregateId(value: unknown): value is string {
  return fields.shape.aggregateId.safeParse(value).success && isShortEnough(value as string);
}

/** One name for an aggregate across types: types have no colon, so it cannot be ambiguous. */
export function aggregateKey(aggregate: { readonly aggregateType: string; readonly aggregateId: string }): string {
  return `${aggregate.aggregateType}:${aggregate.aggregateId}`;
}

/** Back from `aggregateKey` to its parts. */
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
