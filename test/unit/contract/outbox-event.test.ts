import { Int32, ObjectId, Timestamp } from 'bson';
import { describe, expect, it } from 'vitest';
import { aggregateKey, splitAggregateKey } from '../../../lib/contract/outbox-event.ts';
import { outboxDocumentSchema } from '../../../lib/contract/outbox-schema.ts';

const event = {
  _id: new ObjectId(),
  aggregateType: 'graph',
  aggregateId: 'a',
  operation: 'upsert',
  payload: { nodes: [] },
  position: new Timestamp({ t: 0, i: 0 }),
  createdAt: new Date(),
  status: 'pending',
  attempts: 0,
};
const { payload: _, ...withoutPayload } = event;

describe('an outbox document', () => {
  it.each([
    ['an upsert', event],
    ['a delete', { ...withoutPayload, operation: 'delete' }],
    ['trace context', { ...event, traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }],
    ['malformed trace context', { ...event, traceparent: 'not-a-trace' }],
    ['a processed event', { ...event, status: 'processed', processedAt: new Date() }],
    ['a dead event', { ...event, status: 'dead', deadAt: new Date(), error: { code: 'x', message: 'y' } }],
    ['an id of 512 bytes', { ...event, aggregateId: 'é'.repeat(256) }],
  ])('can be %s', (_name, document) => {
    expect(outboxDocumentSchema.safeParse(document).error).toBeUndefined();
  });

  it.each([
    ['an upsert without a payload', withoutPayload, 'payload'],
    ['a delete with a payload', { ...event, operation: 'delete' }, 'payload'],
    ['a payload that is an array', { ...event, payload: [] }, 'payload'],
    ['an id of 513 bytes', { ...event, aggregateId: `${'é'.repeat(256)}x` }, 'aggregateId'],
    ['an empty id', { ...event, aggregateId: '' }, 'aggregateId'],
    ['an aggregate type in capitals', { ...event, aggregateType: 'Graph' }, 'aggregateType'],
    ['an aggregate type of 65 characters', { ...event, aggregateType: 'a'.repeat(65) }, 'aggregateType'],
    ['an unknown operation', { ...event, operation: 'patch' }, 'operation'],
    ['a position that is a date', { ...event, position: new Date() }, 'position'],
    ['attempts that are not an integer', { ...event, attempts: new Int32(0) }, 'attempts'],
    ['a processed event without its time', { ...event, status: 'processed' }, 'processedAt'],
    ['a dead event without its reason', { ...event, status: 'dead', deadAt: new Date() }, 'error'],
  ])('cannot be %s', (_name, document, field) => {
    expect(outboxDocumentSchema.safeParse(document).error?.issues.map((issue) => issue.path[0])).toContain(field);
  });

  it('cannot have an unknown field', () => {
    expect(outboxDocumentSchema.safeParse({ ...event, retries: 1 }).success).toBe(false);
  });
});

it('an aggregate key is split correctly with any id', () => {
  const aggregate = { aggregateType: 'memory-user', aggregateId: 'a:b:c' };
  expect(splitAggregateKey(aggregateKey(aggregate))).toStrictEqual(aggregate);
});
