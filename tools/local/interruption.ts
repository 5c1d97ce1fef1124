/**
 * The signals that end a run, as one abort signal: the first one interrupts the run, and everything
 * that was started is stopped.
 */

/**
 * Aborts at the first SIGINT, SIGTERM or SIGHUP. Further signals change nothing, because the run is
 * ending.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      process.stderr.write('\nEnding what was started …\n');
      controller.abort(new Interrupted(signal));
    });
  }
  return controller.signal;
}

/** The run was interrupted by a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** The exit code that a shell reports for a process ended by the signal. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`interrupted by ${signal}`);
    this.exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal];
  }
}

/** Rejects when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
