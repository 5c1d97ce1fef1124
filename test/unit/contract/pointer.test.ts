import { describe, expect, it } from 'vitest';
import { pointerText, readPointers } from '../../../lib/contract/pointer.ts';

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
    ['an operator in the place of the id', JSON.stringify({ ...pointer, eventId: { $ne: null } })],
    ['a pack of no events', JSON.stringify(packOf())],
    ['a pack of too many events', JSON.stringify(packOf(...new Array<string>(101).fill(eventId)))],
    ['a pack of which one id is wrong', JSON.stringify(packOf(eventId, 'x'))],
    ['another envelope', JSON.stringify({ detail: { bucket: 'x' } })],
  ])('is unreadable as %s', (_, body) => {
    expect(readPointers(body)).toMatchObject({ outcome: 'unreadable' });
  });
});

describe('the text of a pointer', () => {
  it('is ASCII, whatever characters the id has, and says the same', () => {
    const aggregateId = 'é\u0001\u007f\u2028\ufffe\uffff\ud800😀"\\';
    const text = pointerText({ ...pointer, aggregateId });
    expect(text).toMatch(/^[ -~]*$/);
    expect(JSON.parse(text)).toStrictEqual({ ...pointer, aggregateId });
  });

  it('is the pointer and nothing else of what it is made of', () => {
    const stale = { ...pointer, attempts: 3, payload: { secret: true } };
    expect(pointerText(stale)).toBe(JSON.stringify(pointer));
  });
});
