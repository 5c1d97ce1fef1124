/** Where a command runs, and how it ends there. */
import type { Environment } from '../../lib/runtime/settings.ts';

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** All that a command may use of its surroundings. */
export interface Shell {
  readonly environment: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Asks a person, and rejects where no answer comes; null where there is no person to ask. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Thrown to end a command with an exit code other than 0, once it has said why. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`The command ended with ${exitCode}.`);
    this.exitCode = exitCode;
  }
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
