import { Binary, type Document, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isSamePayload } from '../../../lib/writer/same-payload.ts';

const type = 'person';
const loose = { type, payload: z.looseObject({}) };
const id = '66a0c0ffee0123456789abcd';

const throwing = z.custom(() => {
  throw new Error('x');
});

describe('two states of a document', () => {
  it('are one payload if they differ only in fields that the schema does not declare', () => {
    const payload = z.object({ name: z.string(), home: z.object({ city: z.string() }) });
    const before = { name: 'Ada', home: { city: 'Turin', zip: '1' }, seen: new Date(0) };
    const after = { name: 'Ada', home: { city: 'Turin', zip: '2' }, seen: new Date(1) };
    expect(isSamePayload({ type, payload }, before, after)).toBe(true);
    expect(isSamePayload({ type, payload }, before, { ...after, name: 'Bob' })).toBe(false);
    expect(isSamePayload({ type, payload }, before, { ...after, home: { city: 'Rome' } })).toBe(false);
  });

  it.each<readonly [string, unknown, unknown]>([
    ['text', 'a', 'a'],
    ['null', null, null],
    ['dates', new Date(7), new Date(7)],
    ['ObjectIds', new ObjectId(id), new ObjectId(id)],
    ['integers', new Long(7), new Long(7)],
    ['doubles', new Double(0.5), new Double(0.5)],
    ['binary values', new Binary(Buffer.from('a')), new Binary(Buffer.from('a'))],
    ['lists', [{ a: 1 }, [new Int32(2)]], [{ a: 1 }, [new Int32(2)]]],
  ])('are one payload with equal %s', (_, before, after) => {
    expect(isSamePayload(loose, { value: before }, { value: after })).toBe(true);
  });

  it.each<readonly [string, unknown, unknown]>([
    ['text', 'a', 'b'],
    ['null and nothing', null, undefined],
    ['an integer and a double', new Int32(1), new Double(1)],
    ['two widths of an integer', new Int32(1), new Long(1)],
    ['zero and negative zero', new Double(0), new Double(-0)],
    ['dates', new Date(7), new Date(8)],
    ['dates that JavaScript cannot hold', new Date(Number.NaN), new Date(Number.NaN)],
    ['a date and an object', new Date(7), {}],
    ['longer lists', [1], [1, 2]],
    ['a list and an object', [1], { 0: 1 }],
    ['the order of fields', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['an extra field', { a: 1 }, { a: 1, b: undefined }],
    ['maps, whose contents are not compared', new Map([[1, 1]]), new Map([[1, 1]])],
  ])('are two payloads if they differ in %s', (_, before, after) => {
    expect(isSamePayload(loose, { value: before }, { value: after })).toBe(false);
  });

  it('are one payload if a plain number was an integer and is the same double', () => {
    const payload = z.object({ size: z.number() });
    expect(isSamePayload({ type, payload }, { size: new Int32(1) }, { size: new Double(1) })).toBe(true);
    expect(isSamePayload({ type, payload }, { size: new Int32(1) }, { size: new Double(1.5) })).toBe(false);
  });

  it.each<readonly [string, z.ZodType]>([
    ['refuses one of them', z.object({ name: z.literal('Ada') })],
    ['throws', throwing],
    ['is asynchronous', z.object({ name: z.string().refine(async () => true) })],
  ])('are two payloads if the schema %s', (_, payload) => {
    const before: Document = { name: 'Ada' };
    expect(isSamePayload({ type, payload }, before, { name: 'Bob' })).toBe(false);
  });
});
