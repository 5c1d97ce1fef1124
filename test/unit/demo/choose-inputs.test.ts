import { expect, it } from 'vitest';
import { addInputs } from '../../../demo/choose-inputs.ts';

it('inputs can be given with commas or repeated options, and run in a fixed order', () => {
  expect(addInputs('code,holidays', undefined)).toStrictEqual(['holidays', 'code']);
  expect(addInputs('calendars', ['code'])).toStrictEqual(['calendars', 'code']);
  expect(addInputs('code, code', ['code'])).toStrictEqual(['code']);
});

it('an unknown input is refused with a list of the known ones', () => {
  for (const name of ['', 'holiday', 'code,', 'constructor']) {
    expect(() => addInputs(name, undefined)).toThrow('choose from holidays, calendars, code');
  }
});
