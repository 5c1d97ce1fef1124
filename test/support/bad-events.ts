/**
 * Events that can never be applied, one of each kind, as writers in any language or a person could
 * insert them.
 */
import { type Document, ObjectId, Timestamp } from 'mongodb';
import type { DataFaultCode } from '../../lib/contract/fault.ts';
import { wrongText } from './insert-raw.ts';
import { upsertEvent } from './outbox-event.ts';

/** One bad event, to be inserted as bytes (`insertRaw`). */
export interface BadEvent {
  readonly what: string;
  readonly event: Document;
  /** The code with which it is dead; null if it is applied anyway. */
  readonly code: DataFaultCode | null;
  /** Whether it can only be inserted without the validator. */
  readonly bypass?: true;
}

/**
 * Creates the events. Nodes have the label and a key `id` that begins with it. The test must create
 * a unique constraint on the label's `mail`, and a node whose mail is `takenMail`.
 */
export function badEvents(label: string): readonly BadEvent[] {
  const id = (name: string) => `${label}-${name}`;
  const valid = (name: string, fields: Document = {}, node: object = {}) =>
    upsertEvent({ nodes: [{ label, key: { id: id(name) }, ...node }] }, { aggregateId: id(name), ...fields });
  const labels = Array.from({ length: 60 }, (_, index) => `${label}x${index}`);
  return [
    { what: 'a traceparent that is not UTF-8', event: valid('a', { traceparent: wrongText }), code: null },
    {
      what: 'an aggregateId that is not UTF-8',
      event: valid('b', { aggregateId: wrongText }),
      code: 'event-invalid',
    },
    {
      what: 'a payload with a text that is not UTF-8',
      event: valid('c', {}, { properties: { text: wrongText } }),
      code: 'event-invalid',
    },
    {
      what: 'a payload with a name that is not UTF-8',
      event: valid('d', {}, { properties: { [wrongText]: 'x' } }),
      code: 'name-invalid',
    },
    { what: 'no position', event: without(valid('e'), 'position'), code: 'event-invalid', bypass: true },
    { what: 'a text as position', event: valid('f', { position: 'now' }), code: 'event-invalid', bypass: true },
    { what: 'a text as _id', event: valid('g', { _id: id('g') }), code: 'event-invalid', bypass: true },
    {
      what: 'an _id that looks like an ObjectId',
      event: valid('h', { _id: new ObjectId().toHexString() }),
      code: 'event-invalid',
      bypass: true,
    },
    { what: 'no payload', event: without(valid('i'), 'payload'), code: 'event-invalid', bypass: true },
    { what: 'an unknown field', event: valid('j', { more: 1 }), code: 'event-invalid', bypass: true },
    { what: 'no aggregateType', event: without(valid('k'), 'aggregateType'), code: 'event-invalid', bypass: true },
    {
      what: 'an aggregateId of 300 kB',
      event: valid('l', { aggregateId: 'x'.repeat(300_000) }),
      code: 'event-invalid',
      bypass: true,
    },
    { what: 'a text as attempts', event: valid('m', { attempts: 'none' }), code: 'event-invalid', bypass: true },
    { what: 'an unknown status', event: valid('n', { status: 'waiting' }), code: 'event-invalid', bypass: true },
    {
      what: 'an error that does not fit its status',
      event: valid('o', { error: 'x' }),
      code: 'event-invalid',
      bypass: true,
    },
    { what: 'a document of the maximum size', event: full(valid('p')), code: 'event-invalid', bypass: true },
    { what: 'a position a year ahead', event: valid('q', { position: yearsAhead(1) }), code: 'position-in-future' },
    {
      what: 'a value that a unique constraint refuses, and that looks like an error of Neo4j',
      event: valid('r', {}, { properties: { mail: takenMail } }),
      code: 'constraint-violation',
    },
    {
      what: 'a key that is too long for an index',
      event: valid('s'.repeat(400), {}, { key: { id: 's'.repeat(40_000) } }),
      code: 'key-too-large',
    },
    {
      what: 'more new labels than one event may create',
      event: upsertEvent(
        { nodes: labels.map((one) => ({ label: one, key: { id: 'x' } })) },
        { aggregateId: id('labels') },
      ),
      code: 'labels-too-many',
    },
    {
      what: 'an additional label that has a key',
      event: valid('u', {}, { labels: ['User'] }),
      code: 'label-keyed',
    },
    {
      what: 'a type that is not in the catalog',
      event: valid('v', { aggregateType: 'unheard-of' }),
      code: 'aggregate-type-unknown',
    },
    {
      what: 'a value that no property can have',
      event: valid('w', {}, { properties: { nested: { a: 1 } } }),
      code: 'value-unsupported',
    },
  ];
}

/** A value that looks like a temporary error of Neo4j. */
export const takenMail = 'still has relationships';

/** The document without a field. */
export function without(event: Document, field: string): Document {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== field));
}

/** A position that no server has assigned yet. */
export function yearsAhead(years: number): Timestamp {
  return new Timestamp({ t: Math.floor(Date.now() / 1000) + years * 31_536_000, i: 1 });
}

/** Makes the event as large as a MongoDB document can be. */
function full(event: Document): Document {
  const size = 16 * 1024 * 1024 - 1_200;
  return { ...event, payload: { nodes: [], relationships: [], text: 'x'.repeat(size) } };
}
