/** The environment that a command runs in, and how it exits. */
import type { Environment } from '../../lib/runtime/settings.ts';

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface Shell {
  readonly environment: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Asks the person at the terminal. Rejects if there is no answer. Null without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Thrown to exit with a code other than 0, after the reason was printed. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`The command exited with code ${exitCode}.`);
    this.exitCode = exitCode;
  }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
