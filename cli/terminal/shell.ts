/** The environment that a command runs in, and how it exits. */
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Where `outgraph` was started. */
export interface Surroundings {
  /** Completed from `.env` and the config file. */
  readonly environment: Record<string, string | undefined>;
  /** Where `.env` and the config file are. */
  readonly directory: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Asks the person at the terminal. Rejects if there is no answer. Null without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Shell extends Surroundings {
  /** What `.env` and the config file gave. Read before a command runs. */
  readonly files: ReadFiles;
}

export interface ReadFiles {
  /** The config file's. */
  catalog: AggregateCatalog | null;
  /** Each file that was read. */
  readonly names: string[];
  /** By the name of a variable: the file that it is from. */
  readonly origins: Map<string, string>;
}

export function noFiles(): ReadFiles {
  return { catalog: null, names: [], origins: new Map() };
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
