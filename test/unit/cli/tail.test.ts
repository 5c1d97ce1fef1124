import { expect, it } from 'vitest';
import { explainStart } from '../../../cli/tail/tail.ts';
import { Fault } from '../../../lib/contract/fault.ts';

it('explains a start before the oplog, and leaves other faults unchanged', () => {
  expect(explainStart(new Fault('history-lost', 'code 286'), 600)).toMatchObject({
    code: 'history-lost',
    message: "MongoDB's oplog does not reach back 600 seconds: use a smaller --since.",
  });
  const other = new Fault('permission-denied', 'no');
  expect(explainStart(other, 600)).toBe(other);
});
