/** The rows of the crash table about writers, MongoDB, the publisher and the bus, on deployed functions and servers that are really killed. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { waitOverHandOvers } from './rows/hand-over.ts';
import { rowsBeforeTheQueue, testRows } from './rows/parts.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('before-the-queue');
});
afterAll(() => stack?.stop());

it('at a steady 50 events per second over five hand-overs no event waits longer than 5 s for its send', () =>
  waitOverHandOvers(stack));

describe('the crash table:', () => testRows(rowsBeforeTheQueue, () => stack));
