/**
 * Starts servers, runs something on them, and stops them: the frame of every npm script that needs
 * servers.
 */

import { Interrupted, interruption, whenAborted } from './interruption.ts';
import type { Running } from './servers.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';
import { failureText } from './stack-error.ts';

/** A run on servers of some kind. */
export interface ServerRun<Started extends Running> {
  readonly start: (signal: AbortSignal) => Promise<Started>;
  /** Runs while the servers are up. Resolves with the exit code. */
  readonly run: (started: Started, signal: AbortSignal) => Promise<number>;
  /** Whether the servers stay up until Ctrl-C after `run` has finished. */
  readonly keep?: boolean;
}

/** Runs on the whole stack. */
export function runWithStack({
  mongodbMembers,
  shortLived,
  ...options
}: Omit<ServerRun<Stack>, 'start'> & Omit<StackOptions, 'signal'>): Promise<void> {
  return runWithServers({ start: (signal) => startStack({ mongodbMembers, shortLived, signal }), ...options });
}

/** Sets the process's exit code. However the run ends, nothing that was started keeps running. */
export async function runWithServers<Started extends Running>({
  start,
  run,
  keep = false,
}: ServerRun<Started>): Promise<void> {
  const signal = interruption();
  const aborted = whenAborted(signal);
  aborted.catch(() => {
    // The run's work now fails step by step, because its servers are gone.
    for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => undefined);
  });
  let started: Started | undefined;
  try {
    started = await start(signal);
    process.exitCode = await Promise.race([run(started, signal), started.broken, aborted]);
    if (keep) {
      process.stderr.write('The servers stay up; press Ctrl-C to stop them.\n');
      await Promise.race([started.broken, aborted]);
    }
  } catch (error) {
    if (error instanceof Interrupted || signal.aborted) {
      process.exitCode = signal.reason instanceof Interrupted ? signal.reason.exitCode : 1;
    } else {
      process.stderr.write(`${failureText(error)}\n`);
      process.exitCode = 1;
    }
  } finally {
    await started?.stop();
  }
  // Open handles of an interrupted run must not delay the end.
  process.exit();
}
