/** Runs a command that goes on until somebody ends it: Ctrl-C is its end, and not a failure. */
import { reportFailure } from './run-command.ts';

/** What such a command can do. */
export interface Stream {
  /** Aborted by Ctrl-C, SIGTERM, or the end of whoever reads. */
  readonly signal: AbortSignal;
  /** A line on stdout. */
  readonly print: (line: string) => void;
  /** For people, on stderr. */
  readonly say: (text: string) => void;
}

/** Runs it, and ends with 0 when it was interrupted. */
export async function runUntilInterrupted(json: boolean, work: (stream: Stream) => Promise<void>): Promise<void> {
  const interruption = new AbortController();
  const end = () => interruption.abort();
  // Once only: a second Ctrl-C ends the process at once, which is as safe.
  process.once('SIGINT', end).once('SIGTERM', end);
  // `| head` has read enough.
  process.stdout.on('error', end);
  try {
    await work({
      signal: interruption.signal,
      print: (line) => void process.stdout.write(`${line}\n`),
      say: (text) => void process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    // What was cut off by the interruption is no failure.
    if (!interruption.signal.aborted) reportFailure(error, json);
  }
}
