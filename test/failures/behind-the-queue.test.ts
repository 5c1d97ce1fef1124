/**
 * The rows of the crash table about the queue, the consumer and the sweep. They run on deployed
 * functions and kill real servers.
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

it('identifies an event that crashes the worker across its restarts, and applies its neighbours', () =>
  poisonedWorker(stack));

describe('the crash table:', () => testRows(rowsBehindTheQueue, () => stack));
