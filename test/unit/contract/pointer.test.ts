import { describe, expect, it } from 'vitest';
import { intoCalls, packPointers, packText, readPointers } from '../../../lib/contract/pointer.ts';

const eventId = '66a0c0ffee0123456789abcd';
const pointer = { eventId, aggregateType: 'graph', aggregateId: 'a' };
const other = '66a0c0ffee0123456789abce';
const packOf = (...ids: readonly string[]) => {
  return { aggregateType: 'graph', events: ids.map((id) => ({ eventId: id, aggregateId: 'a' })) };
};

describe('a message body', () => {
  it.each([
    ['the bare pointer', pointer],
    ['the EventBridge envelope', { version: '0', source: 'outgraph', 'detail-type': 'graph', detail: pointer }],
    [
      "an Atlas Trigger's envelope with a plain id",
      { source: 'aws.partner/mongodb.com/x', detail: { fullDocument: { _id: eventId } } },
    ],
    [
      "an Atlas Trigger's envelope in Extended JSON",
      { detail: { operationType: 'insert', fullDocument: { _id: { $oid: eventId } } } },
    ],
  ])('is read as %s', (_, body) => {
    expect(readPointers(JSON.stringify(body))).toStrictEqual({ outcome: 'read', eventIds: [eventId] });
  });

  it.each([
    ['a bare pack', packOf(eventId, other)],
    ['a pack in the EventBridge envelope', { source: 'outgraph', detail: packOf(eventId, other) }],
    ['a pack that names an event twice', packOf(eventId, other, eventId)],
  ])('is read as %s, with each of its events once', (_, body) => {
    expect(readPointers(JSON.stringify(body))).toStrictEqual({ outcome: 'read', eventIds: [eventId, other] });
  });

  it.each([
    ['no JSON', '{'],
    ['an empty text', ''],
    ['null', 'null'],
    ['an event id of 23 digits', JSON.stringify({ ...pointer, eventId: eventId.slice(1) })],
    ['an operator instead of the id', JSON.stringify({ ...pointer, eventId: { $ne: null } })],
    ['a pack without events', JSON.stringify(packOf())],
    ['a pack with too many events', JSON.stringify(packOf(...new Array<string>(101).fill(eventId)))],
    ['a pack with an invalid id', JSON.stringify(packOf(eventId, 'x'))],
    ['another envelope', JSON.stringify({ detail: { bucket: 'x' } })],
  ])('is unreadable as %s', (_, body) => {
    expect(readPointers(body)).toMatchObject({ outcome: 'unreadable' });
  });
});

const pointers = (count: number, aggregateType = 'graph') =>
  Array.from({ length: count }, (_, index) => ({
    eventId: index.toString(16).padStart(24, '0'),
    aggregateType,
    aggregateId: `${aggregateType}-${index}`,
  }));

describe('a pack', () => {
  it('is read back as its events, with any characters in their ids', () => {
    const aggregateId = 'é\u0001\u007f\u2028\ufffe\uffff\ud800😀"\\';
    const text = packText([
      { ...pointer, aggregateId },
      { ...pointer, eventId: other },
    ]);
    expect(text).toMatch(/^[ -~]*$/);
    expect(JSON.parse(text).events[0]).toStrictEqual({ eventId, aggregateId });
    expect(readPointers(text)).toStrictEqual({ outcome: 'read', eventIds: [eventId, other] });
  });

  it('contains only pointers, and no other field of an event', () => {
    const stale = { ...pointer, attempts: 3, payload: { secret: true } };
    expect(packText([stale])).toBe(JSON.stringify(packOf(eventId)));
  });

  it('has one aggregate type, and at most the requested number of pointers', () => {
    const mixed = [...pointers(150), ...pointers(3, 'person'), ...pointers(60).slice(50)];
    const packs = packPointers(mixed, 100);
    expect(packs.map((pack) => [pack[0]?.aggregateType, pack.length])).toStrictEqual([
      ['graph', 100],
      ['graph', 60],
      ['person', 3],
    ]);
    expect(packPointers(mixed, 1).every((pack) => pack.length === 1)).toBe(true);
  });

  it('stays below 64 KB with its envelope, for any ids', () => {
    const long = pointers(300).map((one) => ({ ...one, aggregateId: '\u{10ffff}'.repeat(128) }));
    const packs = packPointers(long, 100);
    expect(packs.flat()).toStrictEqual(long);
    expect(Math.max(...packs.map((pack) => packText(pack).length))).toBeLessThan(60_000);
  });
});

describe('a call', () => {
  it('has at most ten packs', () => {
    const calls = intoCalls(pointers(2_450), 100);
    expect(calls.map((call) => call.flat().length)).toStrictEqual([1_000, 1_000, 450]);
    expect(calls.map((call) => call.length)).toStrictEqual([10, 10, 5]);
  });

  it('has no more bytes than EventBridge and SQS accept', () => {
    const long = pointers(300).map((one) => ({ ...one, aggregateId: '\u{10ffff}'.repeat(128) }));
    const calls = intoCalls(long, 100);
    const bytes = calls.map((call) => call.reduce((sum, pack) => sum + packText(pack).length, 0));
    expect(calls.flat(2)).toStrictEqual(long);
    expect(Math.max(...bytes)).toBeLessThan(256 * 1024);
  });

  it('has one pack per type', () => {
    const types = Array.from({ length: 25 }, (_, index) => pointers(1, `type-${index}`)).flat();
    expect(intoCalls(types, 100).map((call) => call.length)).toStrictEqual([10, 10, 5]);
  });
});
