/**
 * Measures how long events wait at a hand-over. It runs alone, with no other stack on the machine.
 */
import { afterAll, beforeAll, it } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { waitOverHandOvers } from './wait-over-hand-overs.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('hand-over');
});
afterAll(() => stack?.stop());

it('at 50 events per second over five hand-overs, no event waits longer than 5 s to be sent', () =>
  waitOverHandOvers(stack));
