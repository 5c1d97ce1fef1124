import { expect, it } from 'vitest';
import { TextSet } from '../../../cli/verify/text-set.ts';

it('counts how many times each of many texts was added', () => {
  const set = new TextSet();
  const many = Array.from({ length: 60_000 }, (_, index) => `text ${index}`);
  for (const text of many) set.add(text);
  for (const text of many.slice(0, 100)) set.add(text);
  expect(many.map((text) => set.count(text))).toStrictEqual(many.map((_, index) => (index < 100 ? 2 : 1)));
  expect(set.count('another')).toBe(0);
  expect(set.has('another')).toBe(false);
  expect(set.has('text 7')).toBe(true);
});
