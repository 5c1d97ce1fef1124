/** Starts the stack, runs something on it, and ends it: the frame of `npm start`, `npm test` and `npm run stack`. */

import { Interrupted, interruption, whenAborted } from './interruption.ts';
import { type Stack, startStack } from './stack.ts';
import { failureText } from './stack-error.ts';

export interface StackRun {
  readonly mongodbMembers: number;
  /** Runs while the stack is up, and answers with the exit code. */
  readonly run: (stack: Stack, signal: AbortSignal) => Promise<number>;
  /** Says, when `run` has answered, that the stack shall stay up until Ctrl-C. */
  readonly keep?: boolean;
}

/** Sets the process's exit code; nothing that was started is left running, however the run ends. */
export async function runWithStack({ mongodbMembers, run, keep = false }: StackRun): Promise<void> {
  const signal = interruption();
  const aborted = whenAborted(signal);
  aborted.catch(() => undefined);
  let stack: Stack | undefined;
  try {
    stack = await startStack({ mongodbMembers, signal });
    process.exitCode = await Promise.race([run(stack, signal), stack.broken, aborted]);
    if (keep) {
      process.stderr.write('The stack stays up; press Ctrl-C to end it.\n');
      await Promise.race([stack.broken, aborted]);
    }
  } catch (error) {
    if (error instanceof Interrupted || signal.aborted) {
      process.exitCode = signal.reason instanceof Interrupted ? signal.reason.exitCode : 1;
    } else {
      process.stderr.write(`${failureText(error)}\n`);
      process.exitCode = 1;
    }
  } finally {
    await stack?.stop();
  }
  // Handles of a run that was broken off must not hold up the end.
  process.exit();
}
