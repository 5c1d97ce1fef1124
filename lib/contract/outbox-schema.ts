/**
 * The schema of the outbox document, from which the MongoDB validator is generated
 * (`lib/set-up/mongodb-validator.ts`), and with which outgraph reads events.
 */
import type { Document, ObjectId, Timestamp } from 'bson';
import { z } from 'zod';
import { bsonTypeOf } from './bson-type.ts';
import {
  aggregateIdMaxBytes,
  aggregateTypeMaxLength,
  aggregateTypePattern,
  fieldRules,
  isPlainObject,
  isShortEnough,
  type OutboxDocument,
  operations,
  statuses,
} from './outbox-event.ts';

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
  aggregateType: text.regex(aggregateTypePattern).max(aggregateTypeMaxLength),
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
export const outboxDocumentSchema: z.ZodType<OutboxDocument> = fields.superRefine((event, context) => {
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
