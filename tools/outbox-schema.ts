/**
 * `npm run schema`: writes the files from which other languages and tools read the outbox document.
 * Their only source is the schema in `lib/contract/outbox-schema.ts`; a unit test compares them.
 *
 * - `schema/outbox.validator.json`: the validator of the collection, as `createCollection` and
 *   `collMod` take it.
 * - `schema/outbox.schema.json`: a JSON Schema (draft 2020-12) of an outbox document in canonical
 *   Extended JSON. It cannot count bytes: only the validator checks that an `aggregateId` has at
 *   most 512.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Document } from 'bson';
import { z } from 'zod';
import { fieldRules } from '../lib/contract/outbox-event.ts';
import { outboxFieldsSchema } from '../lib/contract/outbox-schema.ts';
import { outboxValidator } from '../lib/set-up/mongodb-validator.ts';
import { projectRoot } from './local/paths.ts';

/**
 * How canonical Extended JSON writes each BSON type.
 * https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
 */
const extendedJson: Readonly<Record<string, Document>> = {
  string: { type: 'string' },
  object: { type: 'object' },
  objectId: wrapped('$oid', { type: 'string', pattern: '^[0-9a-fA-F]{24}$' }),
  int: wrapped('$numberInt', { type: 'string', pattern: '^(0|[1-9][0-9]{0,9})$' }),
  date: wrapped('$date', wrapped('$numberLong', { type: 'string', pattern: '^-?[0-9]{1,19}$' })),
  timestamp: wrapped(
    '$timestamp',
    fieldsOf({ t: { type: 'integer', minimum: 0 }, i: { type: 'integer', minimum: 0 } }),
  ),
};

function wrapped(name: string, value: Document): Document {
  return fieldsOf({ [name]: value });
}

function fieldsOf(properties: Readonly<Record<string, Document>>): Document {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** The JSON Schema of an outbox document in canonical Extended JSON. */
export function outboxJsonSchema(): Document {
  const generated = z.toJSONSchema(outboxFieldsSchema, { unrepresentable: 'any', io: 'input' }) as Document;
  const { $schema, ...schema } = generated;
  return {
    $schema,
    title: 'outgraph outbox document, in canonical Extended JSON',
    ...inExtendedJson(schema),
    allOf: fieldRules.map(({ when, required, forbidden }) => ({
      if: { properties: { [when.field]: { enum: [...when.is] } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
      then: { required: [...required], properties: Object.fromEntries(forbidden.map((field) => [field, false])) },
    })),
  };
}

/** Replaces each BSON type by its form in Extended JSON; constraints on texts stay. */
function inExtendedJson({ bsonType, properties, minimum: _, maximum: __, ...schema }: Document): Document {
  const written = bsonType === undefined ? {} : extendedJson[bsonType as string];
  if (written === undefined)
    throw new Error(`tools/outbox-schema.ts does not say how Extended JSON writes a BSON ${bsonType}.`);
  if (properties === undefined)
    return bsonType === 'string' || bsonType === undefined ? { ...written, ...schema } : written;
  const fields = Object.entries(properties as Record<string, Document>).map(([name, field]) => [
    name,
    inExtendedJson(field),
  ]);
  return { ...schema, properties: Object.fromEntries(fields) };
}

/** The files' contents, by their path in the project. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const text = (value: Document) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'schema/outbox.validator.json': text(outboxValidator()),
    'schema/outbox.schema.json': text(outboxJsonSchema()),
  };
}

if (import.meta.main) {
  for (const [file, text] of Object.entries(schemaFiles())) writeFileSync(path.join(projectRoot, file), text);
}
