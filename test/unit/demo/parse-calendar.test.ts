import { describe, expect, it } from 'vitest';
import { parseCalendar } from '../../../demo/input/calendars/parse-calendar.ts';

/** The dates and texts of the events. */
function read(text: string): readonly string[] {
  return parseCalendar(text).events.map((event) => `${event.date} ${event.text}`);
}

describe('a calendar file', () => {
  it('has days in digits, or with an English month before or after the day', () => {
    expect(
      read('03/15\tides\n1/7\tshort\n03/15   spaces\nJan 05\tname\njan/06\tslash\nSeptember 1\tlong\n01 Jul\tday\n'),
    ).toStrictEqual([
      '03-15 ides',
      '01-07 short',
      '03-15 spaces',
      '01-05 name',
      '01-06 slash',
      '09-01 long',
      '07-01 day',
    ]);
  });

  it('continues a text in indented lines', () => {
    expect(read('12/10\tAda Lovelace born,\n\tin London,\n\t1815\n12/11\tnext\n')).toStrictEqual([
      '12-10 Ada Lovelace born, in London, 1815',
      '12-11 next',
    ]);
  });

  it('has no events in comments, directives, settings and includes', () => {
    const { events, leftOut } = parseCalendar(
      '/*\n * 01/01\tno\n */\n#ifndef _c_\n#include <calendar.other>\nLANG=utf-8\nEaster=Pasen\n' +
        '/* one */\n02/29\tleap\n#endif /* !_c_ */\n',
    );
    expect(events.map(({ text }) => text)).toStrictEqual(['leap']);
    expect(leftOut).toBe(0);
  });

  it('skips and counts days by rule, days in other languages, and days that do not exist', () => {
    const { events, leftOut } = parseCalendar(
      '05/SunSecond\tmothers\nEaster+1\tmonday\n06\tall of June\n1 янв.\tnew year\n' +
        '02/30\tnever\n13/01\tnever\nMon 5\tnever\n05/01\tkept\n',
    );
    expect(events.map(({ text }) => text)).toStrictEqual(['kept']);
    expect(leftOut).toBe(7);
  });

  it('keeps the written form of a date, including the star of a movable one, and a final year', () => {
    expect(parseCalendar('01/03*\tAsara\nJan 1\tborn, 1867\n01/02\tin 79\n').events).toStrictEqual([
      { date: '01-03', text: 'Asara', year: null, written: '01/03*' },
      { date: '01-01', text: 'born, 1867', year: 1867, written: 'Jan 1' },
      { date: '01-02', text: 'in 79', year: null, written: '01/02' },
    ]);
  });

  it('keeps duplicate entries', () => {
    expect(read('03/15\triots\n03/15\triots\n')).toStrictEqual(['03-15 riots', '03-15 riots']);
  });
});
