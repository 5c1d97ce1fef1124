import { describe, expect, it } from 'vitest';
import { allowedLicences } from '../../../tools/allowed-licences.ts';
import { type LicensedPackage, licencePage, licenceProblems } from '../../../tools/licence-page.ts';

const one = (licence: string, fields: Partial<LicensedPackage> = {}): LicensedPackage => ({
  name: 'left-pad',
  version: '1.0.0',
  licence,
  link: 'https://example.org/left-pad',
  ...fields,
});

describe('a licence', () => {
  it.each([
    'MIT',
    'Apache-2.0',
    '(MIT OR GPL-3.0-only)',
    '(MIT AND 0BSD)',
    'GPL-3.0-only OR ISC',
  ])('is allowed: %s', (licence) => {
    expect(licenceProblems([one(licence)], allowedLicences)).toStrictEqual([]);
  });

  it.each([
    ['one that is new', 'GPL-3.0-only'],
    ['one of several that all hold', '(MIT AND GPL-3.0-only)'],
    ['one that was only guessed from a file', 'MIT*'],
    ['none', 'UNKNOWN'],
    ['an expression that says both', '(MIT OR ISC) AND GPL-3.0-only'],
    ['the name of a method of every object', 'constructor'],
  ])('is not allowed: %s', (_, licence) => {
    expect(licenceProblems([one(licence)], allowedLicences)).toStrictEqual([
      `left-pad 1.0.0 has the licence "${licence}", which is not allowed: use another package, or add the licence with the reason to tools/allowed-licences.ts.`,
    ]);
  });
});

it('the page lists every package in the order of their names, with version, licence and link', () => {
  const page = licencePage([
    one('MIT', { name: 'b' }),
    one('ISC', { name: 'a', version: '2.0.0' }),
    one('MIT', { name: 'a', link: '' }),
  ]);
  expect(page.split('\n').filter((line) => /^\| [ab] /.test(line))).toStrictEqual([
    '| a | 1.0.0 | MIT |  |',
    '| a | 2.0.0 | ISC | <https://example.org/left-pad> |',
    '| b | 1.0.0 | MIT | <https://example.org/left-pad> |',
  ]);
});
