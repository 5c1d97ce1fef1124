/**
 * The rows of the crash table about writers, MongoDB, the publisher and the bus. They run on
 * deployed functions and kill real servers.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { rowsBeforeTheQueue, testRows } from './rows/parts.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('before-the-queue');
});
afterAll(() => stack?.stop());

describe('the crash table:', () => testRows(rowsBeforeTheQueue, () => stack));
