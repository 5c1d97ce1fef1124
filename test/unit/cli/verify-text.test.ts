import { expect, it } from 'vitest';
import type { Difference } from '../../../cli/verify/difference.ts';
import { differenceFacts, differenceLines, nextLines } from '../../../cli/verify/text.ts';

const user = '["User",[["user_id","sada"]]]';
const gone: Difference = {
  kind: 'changed',
  aggregate: 'person:a\u001bda',
  element: 'BORN PIUqgNsq',
  ends: { type: 'BORN', from: user, to: '["Date",[["date","s12-10"]]]' },
  reason: 'The relationship is gone.',
};
const node: Difference = { kind: 'changed', aggregate: 'person:ada', element: user, reason: 'The node is gone.' };
const none = { missing: 0, stale: 0, changed: 0, ghost: 0, unowned: 0, dead: 0 };

it('names elements as show prints them, in text and in JSON', () => {
  expect(differenceLines({ ...none, changed: 2 }, [gone, node], '')).toStrictEqual([
    '  changed  person:a\\u001bda  (:User {user_id: "ada"})-[:BORN]->(:Date {date: "12-10"})  ' +
      'The relationship is gone.',
    '  changed  person:ada  (:User {user_id: "ada"})  The node is gone.',
  ]);
  expect(differenceFacts(node)).toStrictEqual({ ...node, name: '(:User {user_id: "ada"})' });
});

it('the last lines say what to run next', () => {
  expect(nextLines(none)).toStrictEqual([]);
  expect(nextLines({ ...none, stale: 1 }).join()).toContain('outgraph verify --repair');
  expect(nextLines({ ...none, dead: 1 }).join()).toMatch(/^(?!.*repair).*outgraph dead list/);
});
