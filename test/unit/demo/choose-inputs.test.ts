import { expect, it } from 'vitest';
import { addInputs } from '../../../demo/choose-inputs.ts';

it('several inputs may be named with commas or one after the other, and run in one order', () => {
  expect(addInputs('code,holidays', undefined)).toStrictEqual(['holidays', 'code']);
  expect(addInputs('calendars', ['code'])).toStrictEqual(['calendars', 'code']);
  expect(addInputs('code, code', ['code'])).toStrictEqual(['code']);
});

it('a name that is no input is refused with those that are', () => {
  for (const name of ['', 'holiday', 'code,', 'constructor']) {
    expect(() => addInputs(name, undefined)).toThrow('there are holidays, calendars, code');
  }
});
