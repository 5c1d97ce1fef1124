/**
 * The outbox collection's validator, generated from the schema of the outbox document. A refused
 * event aborts the writer's transaction, in every language, so that its document is not written
 * either.
 */
import type { Document } from 'mongodb';
import { z } from 'zod';
import { aggregateIdMaxBytes, eventMaxBytes, type FieldRule, fieldRules } from '../contract/outbox-event.ts';
import { outboxFieldsSchema } from '../contract/outbox-schema.ts';

/**
 * Returns the validator: `$jsonSchema` for the fields and the rules between them, and `$expr` for
 * limits in bytes, which JSON Schema cannot express.
 */
export function outboxValidator(): Document {
  return {
    $jsonSchema: { ...fieldsSchema(), allOf: fieldRules.map(ruleSchema) },
    $expr: {
      $and: [
        {
          $lte: [
            { $strLenBytes: { $cond: [{ $eq: [{ $type: '$aggregateId' }, 'string'] }, '$aggregateId', ''] } },
            aggregateIdMaxBytes,
          ],
        },
        // Only for inserted events: settling an event adds fields, which may exceed this limit.
        {
          $or: [
            { $ne: ['$status', 'pending'] },
            { $ne: ['$attempts', 0] },
            { $lte: [{ $bsonSize: '$$ROOT' }, eventMaxBytes] },
          ],
        },
      ],
    },
  };
}

/**
 * MongoDB supports draft 4 of JSON Schema with `bsonType` instead of `type`, and refuses unknown
 * keywords.
 */
function fieldsSchema(): Document {
  const generated = z.toJSONSchema(outboxFieldsSchema, {
    target: 'draft-4',
    unrepresentable: 'any',
    io: 'input',
  }) as Document;
  return toBsonSchema(generated);
}

const keywords = new Set([
  'required',
  'additionalProperties',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'bsonType',
]);

function toBsonSchema(schema: Document): Document {
  const kept = Object.fromEntries(Object.entries(schema).filter(([keyword]) => keywords.has(keyword)));
  const bsonType = schema.bsonType ?? bsonTypes[schema.type as string];
  const properties = schema.properties as Record<string, Document> | undefined;
  return {
    ...(bsonType === undefined ? {} : { bsonType }),
    ...kept,
    ...(typeof kept.pattern === 'string' ? { pattern: toPcre(kept.pattern) } : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, toBsonSchema(property)]),
          ),
        }),
  };
}

/** MongoDB matches with PCRE, whose `$` also matches before a line break at the very end. */
function toPcre(pattern: string): string {
  return pattern.replace(/\$$/, '\\z');
}

const bsonTypes: Readonly<Record<string, string>> = { object: 'object', string: 'string' };

/** "Not this value, or the rule holds." */
function ruleSchema({ when, required, forbidden }: FieldRule): Document {
  const demands = [
    ...(required.length > 0 ? [{ required: [...required] }] : []),
    ...forbidden.map((field) => ({ not: { required: [field] } })),
  ];
  return { anyOf: [{ not: { properties: { [when.field]: { enum: [...when.is] } } } }, { allOf: demands }] };
}
