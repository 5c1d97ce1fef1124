import { Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectPayload } from '../../../lib/projection/project.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';

const project = (fields: object) =>
  projectPayload(memoryEvent, 'e1', { _id: new ObjectId(), user_id: 'ada', date: '12-10', ...fields }).relationships;

/** Every "MM-DD" of a leap year in JavaScript's calendar. */
const days = Array.from({ length: 366 }, (_, index) =>
  new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(5, 10),
);

describe('the date of a memory event', () => {
  it('is one of the 366 days of a leap year', () => {
    expect(days).toContain('02-29');
    for (const date of days) expect(project({ date })[0]?.to.key).toStrictEqual({ date });
  });

  it('is refused if it is anything else', () => {
    const twoDigits = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0'));
    const almost = fc.tuple(twoDigits, fc.constantFrom('-', '/', ''), twoDigits).map((parts) => parts.join(''));
    const others = fc.constantFrom('', '2026-05-11', '02-30', '1-1', ' 01-01', '01-01\n', '٠١-٠١', null, 101);
    fc.assert(
      fc.property(fc.oneof(almost, others), (date) => {
        fc.pre(!days.includes(String(date)));
        expect(() => project({ date })).toThrow(
          expect.objectContaining({ code: 'payload-invalid', message: expect.stringContaining('payload.date') }),
        );
      }),
    );
  });
});

describe('the year of a memory event', () => {
  it.each([2024, new Int32(2024), Long.fromNumber(2024), new Double(2024), '2024'])('is stored as text: %o', (year) => {
    expect(project({ year })[0]?.properties).toStrictEqual({ event_id: 'e1', year: '2024' });
  });
});

describe('a memory event', () => {
  it('is a valid relationship with any set of properties', () => {
    const text = fc.option(fc.string());
    const component = fc.oneof(
      fc.double(),
      fc.integer().map((number) => new Int32(number)),
      fc.double().map((number) => new Double(number)),
    );
    const fields = fc.record(
      { event_name: text, desc: text, time: text, date_expression: text, embedding: fc.option(fc.array(component)) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (event) => {
        const [one] = project(event);
        const given = Object.entries(event).filter(([, value]) => value !== null && value !== undefined);
        expect(Object.keys(one?.properties ?? {}).sort()).toStrictEqual(
          ['event_id', ...given.map(([name]) => name)].sort(),
        );
        const embedding = one?.properties.embedding ?? [];
        expect((embedding as unknown[]).every((number) => typeof number === 'number')).toBe(true);
      }),
    );
  });
});
