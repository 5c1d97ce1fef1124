import { Double, Int32, Long } from 'bson';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineAggregate } from '../../../lib/projection/define-aggregate.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { projectPayload } from '../../../lib/projection/project.ts';
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
  const of = (payload: z.ZodType<object>) =>
    defineAggregate<object>({
      type: 'thing',
      collection: 'things',
      id: () => 'x',
      payload,
      project: () => ({ nodes: [], relationships: [] }),
    });

  it.each<[schema: string, payload: z.ZodType<object>, document: object]>([
    ['z.number()', z.object({ x: z.number() }), { x: new Int32(1) }],
    ['z.int()', z.object({ x: z.int() }), { x: Long.fromNumber(1) }],
    ['z.bigint()', z.object({ x: z.bigint() }), { x: Long.fromNumber(1) }],
    ['a list', z.object({ x: z.array(z.number()) }), { x: [new Double(1)] }],
    ['a union', z.object({ x: z.union([z.string(), z.number()]) }), { x: new Double(1) }],
    ['a literal', z.object({ x: z.literal(1) }), { x: new Int32(1) }],
  ])('fails with advice what to use instead: %s', (_, payload, document) => {
    expect(() => projectPayload(of(payload), 'x', document)).toThrow(/payload\.x.*declare the field with storedNumber/);
  });

  it('fails without that advice if it does not expect a number', () => {
    const wantsText = of(z.object({ x: z.string() }));
    expect(() => projectPayload(wantsText, 'x', { x: new Int32(1) })).toThrow(/^(?!.*storedNumber)/);
    expect(() => projectPayload(of(z.object({ x: z.number() })), 'x', { x: 'a' })).toThrow(/^(?!.*storedNumber)/);
  });
});
