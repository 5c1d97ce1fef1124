/** Runs a command that goes on until somebody ends it: Ctrl-C is its end, and not a failure. */
import { setTimeout as sleep } from 'node:timers/promises';
import { reportFailure } from './run-command.ts';
import { type Shell, untilAborted } from './shell.ts';

/** What such a command can do. */
export interface Stream {
  /** Aborted by Ctrl-C, SIGTERM, or the end of whoever reads. */
  readonly signal: AbortSignal;
  /** A line on stdout. */
  readonly print: (line: string) => void;
  /** For people, on stderr. */
  readonly say: (text: string) => void;
}

const graceMillis = 8_000;

/** Runs it, and ends with 0 when it was interrupted. @throws Exit where it fails. */
export async function runUntilInterrupted(
  shell: Shell,
  json: boolean,
  work: (stream: Stream) => Promise<void>,
): Promise<void> {
  const { stdout, stderr } = shell;
  // `| head` has read enough.
  const unread = new AbortController();
  stdout.on('error', () => unread.abort());
  const signal = AbortSignal.any([shell.signal, unread.signal]);
  const stream = {
    signal,
    print: (line: string) => void stdout.write(`${line}\n`),
    say: (text: string) => void stderr.write(`${text}\n`),
  };
  try {
    // A read that waits for a silent server does not hold up the end.
    await Promise.race([work(stream), untilAborted(signal).then(() => sleep(graceMillis, undefined, { ref: false }))]);
  } catch (error) {
    // What was cut off by the interruption is no failure.
    if (!signal.aborted) throw reportFailure(shell, error, json);
  }
}
