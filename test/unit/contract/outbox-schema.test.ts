import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Document, EJSON } from 'bson';
import { describe, expect, it } from 'vitest';
import { aggregateIdMaxBytes } from '../../../lib/contract/outbox-event.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { outboxJsonSchema, schemaFiles } from '../../../tools/outbox-schema.ts';
import { readCases } from '../../conformance/read-cases.ts';
import { outboxEvent } from '../../support/outbox-event.ts';

it.each(Object.entries(schemaFiles()))('%s is up to date with the code (npm run schema)', (file, text) => {
  expect(readFileSync(path.join(projectRoot, file), 'utf8')).toBe(text);
});

describe('the JSON Schema judges an outbox document in Extended JSON like the validator:', () => {
  const matches = new Ajv2020().compile(outboxJsonSchema());

  it.each(readCases('validator').filter(({ set }) => !isOnlyTooManyBytes(set)))('$name', ({
    set,
    unset = [],
    refused,
  }) => {
    const event: Document = { ...outboxEvent({ aggregateType: 'note', operation: 'upsert', payload: {} }), ...set };
    for (const field of unset) delete event[field];
    expect(matches(JSON.parse(EJSON.stringify(event, { relaxed: false })))).toBe(refused === undefined);
  });
});

/** The only rule that a JSON Schema cannot express. */
function isOnlyTooManyBytes({ aggregateId }: Document): boolean {
  return typeof aggregateId === 'string' && Buffer.byteLength(aggregateId) > aggregateIdMaxBytes;
}
