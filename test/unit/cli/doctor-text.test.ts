import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import type { CheckResult, DoctorReport } from '../../../cli/doctor/doctor.ts';
import { doctorText, styleOf } from '../../../cli/doctor/text.ts';

const result = (fields: Partial<CheckResult>): CheckResult => {
  return {
    group: 'MongoDB',
    name: 'reachable',
    outcome: 'ok',
    detail: 'fine',
    advice: null,
    blockedBy: null,
    ...fields,
  };
};
const report: DoctorReport = {
  outcome: 'wrong',
  counts: { ok: 1, warning: 1, wrong: 1, skipped: 3 },
  checks: [
    result({ group: 'Configuration', name: 'settings' }),
    result({ outcome: 'wrong', detail: 'away', advice: 'Start it.' }),
    ...['indexes', 'oplog'].map((name) => result({ name, outcome: 'skipped', blockedBy: 'MongoDB: reachable' })),
    result({ group: 'Neo4j', name: 'clock', outcome: 'warning', detail: 'behind', advice: 'Set it.' }),
    result({ group: 'Stage', name: 'sweep', outcome: 'skipped', blockedBy: 'MongoDB: reachable' }),
  ],
};

it('groups checks with their marks and advice, and lists those that one check blocks in one line', () => {
  expect(doctorText(report, { hasColour: false, isUnicode: true })).toBe(`Configuration
  ✓ settings   fine

MongoDB
  ✗ reachable  away
               Start it.
  - 2 others   not examined, because of MongoDB: reachable: indexes, oplog

Neo4j
  ! clock      behind
               Set it.

Stage
  - sweep      not examined, because of MongoDB: reachable

Something is wrong: 1 ok, 1 warning, 1 wrong, 3 skipped.`);
});

it('uses ASCII for a terminal without Unicode', () => {
  const text = doctorText(report, { hasColour: false, isUnicode: false });
  expect(text).toMatch(/^[\n -~]*$/);
  expect(text).toContain('  ok settings   fine\n');
  expect(text).toContain('  X  reachable  away\n                Start it.\n');
});

it('colours only marks and headings', () => {
  const text = doctorText(report, { hasColour: true, isUnicode: true });
  expect(text).toContain('\u001b[31m✗\u001b[39m reachable  away');
  expect(stripVTControlCharacters(text)).toBe(doctorText(report, { hasColour: false, isUnicode: true }));
});

it.each([
  [{ LANG: 'de_DE.UTF-8' }, true, { hasColour: true, isUnicode: true }],
  [{ LANG: 'de_DE.UTF-8', NO_COLOR: '1' }, true, { hasColour: false, isUnicode: true }],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false, { hasColour: false, isUnicode: false }],
  [{}, true, { hasColour: true, isUnicode: false }],
])('the environment %j (terminal: %s) has the style %j', (environment, isTerminal, style) => {
  expect(styleOf(environment, isTerminal)).toStrictEqual(style);
});
