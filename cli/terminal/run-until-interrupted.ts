/** Runs a command until it is interrupted. Ctrl-C is its normal end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { reportFailure } from './run-command.ts';
import { type Shell, untilAborted } from './shell.ts';

export interface Stream {
  /** Aborted by Ctrl-C, by SIGTERM, or when the reader of stdout ends. */
  readonly signal: AbortSignal;
  /** Prints a line on stdout. */
  readonly print: (line: string) => void;
  /** For people, on stderr. */
  readonly say: (text: string) => void;
}

const graceMillis = 8_000;

/** Exits with 0 when interrupted. @throws Exit if the work fails. */
export async function runUntilInterrupted(
  shell: Shell,
  json: boolean,
  work: (stream: Stream) => Promise<void>,
): Promise<void> {
  const { stdout, stderr } = shell;
  // A reader such as `| head` may stop reading.
  const unread = new AbortController();
  stdout.on('error', () => unread.abort());
  const signal = AbortSignal.any([shell.signal, unread.signal]);
  const stream = {
    signal,
    print: (line: string) => void stdout.write(`${line}\n`),
    say: (text: string) => void stderr.write(`${text}\n`),
  };
  try {
    // A read from a silent server must not delay the end.
    await Promise.race([work(stream), untilAborted(signal).then(() => sleep(graceMillis, undefined, { ref: false }))]);
  } catch (error) {
    // An error caused by the interruption is not a failure.
    if (!signal.aborted) throw reportFailure(shell, error, json);
  }
}
