/** How long an event waits at a hand-over is a time: it is measured alone, with no other stack on the machine. */
import { afterAll, beforeAll, it } from 'vitest';
import { FailureStack } from '../support/failure-stack.ts';
import { waitOverHandOvers } from './wait-over-hand-overs.ts';

let stack: FailureStack;
beforeAll(async () => {
  stack = await FailureStack.start('hand-over');
});
afterAll(() => stack?.stop());

it('at a steady 50 events per second over five hand-overs no event waits longer than 5 s for its send', () =>
  waitOverHandOvers(stack));
