import { expect, it } from 'vitest';
import { durationText } from '../../../cli/terminal/duration-text.ts';

it.each([
  [-3, '0 ms'],
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1_000, '1.0 s'],
  [9_949, '9.9 s'],
  [9_951, '10 s'],
  [59_700, '1 min'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [86_399_600, '1 d'],
  [3 * 86_400_000 + 4 * 3_600_000 + 59_000, '3 d 4 h'],
])('%d milliseconds are "%s"', (millis, text) => {
  expect(durationText(millis)).toBe(text);
});
