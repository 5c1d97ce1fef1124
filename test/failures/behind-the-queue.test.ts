/**
 * The rows of the crash table about the queue, the consumer and the sweep, on deployed functions and servers that are
 * really killed.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { rowsBehindTheQueue, testRows } from './rows/parts.ts';
import { poisonedWorker } from './rows/poison.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('behind-the-queue');
});
afterAll(() => stack?.stop());

it('an event that ends the worker each time is found out over its restarts; its neighbours are applied', () =>
  poisonedWorker(stack));

describe('the crash table:', () => testRows(rowsBehindTheQueue, () => stack));
