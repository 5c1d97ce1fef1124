import { Decimal128, Double, Int32, Long } from 'bson';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAggregate } from '../../../lib/projection/define-aggregate.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
import { storedNumber } from '../../../lib/projection/stored-number.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';

const surprise = () => {
  throw new TypeError('a bug that shows the payload: s3cret');
};

describe('a payload that causes an unexpected error', () => {
  it.each([
    ['projection', { payload: z.custom<object>(), project: surprise }],
    [
      'subgraph',
      { payload: z.custom<object>(), project: () => ({ nodes: [], relationships: new Proxy([], { get: surprise }) }) },
    ],
  ])('is dead, because it would throw again each time and delay others: in the %s', (what, fields) => {
    const definition = defineAggregate<object>({ type: 'thing', collection: 'things', id: () => 'x', ...fields });
    const attempt = () => projectPayload(definition, 'x', {});
    expect(attempt).toThrow(expect.objectContaining({ code: 'projection-failed', retryable: false }));
    expect(attempt).toThrow(`The ${what} of "thing" threw TypeError.`);
  });

  it.each([
    ['throws', z.custom<object>(surprise)],
    ['is asynchronous', z.custom<object>(async () => true)],
  ])('is dead, because its schema %s', (_, payload) => {
    const project = () => ({ nodes: [], relationships: [] });
    const definition = defineAggregate<object>({
      type: 'thing',
      collection: 'things',
      id: () => 'x',
      payload,
      project,
    });
    expect(() => projectPayload(definition, 'x', {})).toThrow(
      expect.objectContaining({ code: 'projection-failed', message: expect.stringContaining('The schema of "thing"') }),
    );
  });
});

it('a payload is checked by a schema of any library that follows Standard Schema', () => {
  const definition = defineAggregate<{ name: string }>({
    type: 'thing',
    collection: 'things',
    id: () => 'x',
    payload: {
      '~standard': {
        version: 1,
        vendor: 'own',
        validate: (value) =>
          typeof (value as { name?: unknown }).name === 'string'
            ? { value: { name: (value as { name: string }).name.trim() } }
            : { issues: [{ message: 'must be a text', path: [{ key: 'name' }, 0] }, { message: 'is no thing' }] },
      },
    },
    project: ({ name }, id) => ({ nodes: [{ label: 'Thing', key: { id }, properties: { name } }], relationships: [] }),
  });
  expect(projectPayload(definition, 'x', { name: ' a ' }).nodes[0]?.properties).toStrictEqual({ name: 'a' });
  expect(() => projectPayload(definition, 'x', { name: new Int32(1) })).toThrow(
    expect.objectContaining({
      code: 'payload-invalid',
      message: 'The payload is not a "thing": payload.name[0]: must be a text; payload: is no thing.',
    }),
  );
});

describe('a document that pretends to be a BSON value', () => {
  const pretenders = ['Int32', 'Long', 'Double', 'ObjectId', 'Binary', 'Timestamp'].map((_bsontype) => [
    _bsontype,
    { _bsontype, value: '1; DROP', sub_type: 4, position: 16 },
  ]);

  it.each(pretenders)('is a nested object like any other: %s', (_, value) => {
    const node = { label: 'A', key: { id: '1' }, properties: { value } };
    expect(() => projectPayload(graph, 'x', { nodes: [node] })).toThrow(
      expect.objectContaining({ code: 'value-unsupported', message: expect.stringContaining('a nested object') }),
    );
    expect(() => projectPayload(graph, 'x', { nodes: [{ label: 'A', key: { id: value } }] })).toThrow(
      expect.objectContaining({ code: 'key-invalid' }),
    );
  });

  it('is not a number of a memory event', () => {
    const event = { user_id: 'ada', date: '12-10' };
    const year = { _bsontype: 'Int32', value: 1 };
    expect(() => projectPayload(memoryEvent, 'x', { ...event, year })).toThrow(
      expect.objectContaining({ code: 'payload-invalid' }),
    );
    expect(projectPayload(memoryEvent, 'x', { ...event, embedding: [new Double(1)] }).relationships.length).toBe(1);
  });
});

describe('a schema for plain numbers', () => {
  const of = (x: z.ZodType, project = (value: unknown): unknown => value) =>
    defineAggregate<{ x: unknown }>({
      type: 'thing',
      collection: 'things',
      id: () => 'x',
      payload: z.object({ x, beside: storedNumber.optional() }),
      project: (state) => ({
        nodes: [{ label: 'A', key: { id: 1 }, properties: { x: project(state.x) as number } }],
        relationships: [],
      }),
    });
  const propertyOf = (schema: z.ZodType, x: unknown, project?: (value: unknown) => unknown) =>
    projectPayload(of(schema, project), 'x', { x, beside: Long.MAX_VALUE }).nodes[0]?.properties.x;
  const sized = z.discriminatedUnion('kind', [z.object({ kind: z.literal(1), size: z.number() })]);

  it.each<[schema: string, payload: z.ZodType, stored: unknown, inGraph: unknown]>([
    ['z.number(), an int32', z.number(), new Int32(1), 1n],
    ['z.number(), an int64', z.number(), Long.fromNumber(2 ** 40), 2n ** 40n],
    ['z.number(), a double', z.number(), new Double(0.5), 0.5],
    ['z.number(), an integral double', z.number(), new Double(1), 1n],
    ['z.int(), an int32', z.int(), new Int32(-7), -7n],
    ['z.int(), an integral double', z.int(), new Double(-3), -3n],
    ['z.bigint(), an int32', z.bigint(), new Int32(1), 1n],
    ['z.bigint(), an int64 beyond 2^53', z.bigint(), Long.MAX_VALUE, 2n ** 63n - 1n],
    ['a list', z.array(z.number()), [new Double(0.5), new Int32(2)], [0.5, 2]],
    ['a list of integers', z.array(z.int()), [new Int32(1), Long.ONE], [1n, 1n]],
    ['a bound that the double is', z.number().max(5), new Double(5), 5n],
    ['a union', z.union([z.string(), z.number()]), new Double(1.5), 1.5],
    ['a literal', z.literal([1, 2]), new Int32(2), 2n],
    ['a number or null', z.number().nullish(), new Int32(0), 0n],
    ['a number with a default', z.number().default(1), undefined, 1n],
  ])('reads what is stored: %s', (_, schema, stored, inGraph) => {
    expect(propertyOf(schema, stored)).toStrictEqual(inGraph);
  });

  it('reads numbers behind a discriminator that is a number itself', () => {
    const size = (value: unknown) => (value as { size: number }).size;
    expect(propertyOf(sized, { kind: new Int32(1), size: new Int32(7) }, size)).toBe(7n);
  });

  it('leaves numbers as they are stored where the schema accepts them', () => {
    const isLong = (value: unknown) => value instanceof Long;
    expect(propertyOf(storedNumber, Long.MAX_VALUE, isLong)).toBe(true);
  });

  it('refuses an int64 beyond 2^53, and says what to use instead', () => {
    expect(() => propertyOf(z.number(), Long.MAX_VALUE)).toThrow(
      expect.objectContaining({
        code: 'payload-invalid',
        message: expect.stringMatching(/payload\.x: .*2\^53.*z\.bigint\(\)/),
      }),
    );
  });

  it.each([
    ['a text', z.number(), 'a'],
    ['Decimal128', z.number(), new Decimal128('1')],
    ['a number for a text', z.string(), new Int32(1)],
    ['a fraction for an integer', z.int(), new Double(1.5)],
    ['a double for a bigint', z.bigint(), new Double(1)],
    ['a document that pretends to be a number', z.number(), { _bsontype: 'Int32', value: 1 }],
  ])('refuses %s', (_, schema, x) => {
    expect(() => propertyOf(schema, x)).toThrow(
      expect.objectContaining({ code: 'payload-invalid', message: expect.stringMatching(/payload\.x: (?!.*2\^53)/) }),
    );
  });
});
