/** Sends pointers in calls of ten, several at once, and sends again what was refused or was in a call that failed. */
import pMap from 'p-map';
import { type Pointer, pointersPerCall } from '../contract/pointer.ts';
import { inChunks } from '../runtime/in-chunks.ts';

/** Sends at most ten pointers and returns those that were refused; throws if the call itself failed. */
export type SendPointers = (pointers: readonly Pointer[]) => Promise<readonly Pointer[]>;

/** Waits for a time. */
export type Sleep = (millis: number) => Promise<void>;

export interface SendOptions {
  readonly send: SendPointers;
  /** Asked before each call: false when the time is up, or the lease is another's. */
  readonly maySend: () => Promise<boolean>;
  readonly sleep: Sleep;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * What sending came to. `done`: the `refused` stay pending in the outbox, where the sweep finds them. `stopped`: it may
 * not go on, and what was not sent is for whoever goes on from the same checkpoint; `failure` is what the last attempt
 * before failed with, if it did.
 */
export type SendReport =
  | { readonly outcome: 'done'; readonly refused: readonly Pointer[] }
  | { readonly outcome: 'stopped'; readonly failure: unknown };

/** Calls that are under way at once. */
export const concurrentCalls = 10;

const maxAttempts = 5;

/**
 * Sends all, and what is left again with growing waits, until five attempts in a row have sent nothing more. An entry
 * that the bus still refuses is left to the sweep: waiting for it would hold up everything after it. A bus that takes
 * some calls and fails others gets through in the end.
 *
 * @throws Fault `bus-unavailable` if calls still failed as a whole: nothing after the checkpoint counts as sent then.
 */
export async function sendAll(pointers: readonly Pointer[], options: SendOptions): Promise<SendReport> {
  let left = pointers;
  let attemptsInVain = 0;
  let failure: unknown;
  while (left.length > 0) {
    const attempt = await sendOnce(left, options);
    attemptsInVain = attempt.left.length < left.length ? 0 : attemptsInVain + 1;
    left = attempt.left;
    if (attempt.stopped) return { outcome: 'stopped', failure };
    failure = attempt.failures[0];
    if (attemptsInVain === maxAttempts) {
      if (failure !== undefined) throw failure;
      break;
    }
    if (left.length > 0) await options.sleep(200 * 2 ** attemptsInVain * (0.5 + options.random()));
  }
  return { outcome: 'done', refused: left };
}

interface Attempt {
  readonly left: readonly Pointer[];
  readonly failures: readonly unknown[];
  readonly stopped: boolean;
}

/**
 * One attempt: ends early at the first call that fails, and with all calls ended, because none may be left running
 * behind the flow's back.
 */
async function sendOnce(pointers: readonly Pointer[], { send, maySend }: SendOptions): Promise<Attempt> {
  const left: Pointer[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  const sendSome = async (some: readonly Pointer[]) => {
    try {
      stopped ||= failures.length === 0 && !(await maySend());
      left.push(...(stopped || failures.length > 0 ? some : await send(some)));
    } catch (error) {
      failures.push(error);
      left.push(...some);
    }
  };
  await pMap(inChunks(pointers, pointersPerCall), sendSome, { concurrency: concurrentCalls });
  return { left, failures, stopped };
}
