/**
 * Sends packs of pointers in calls of ten, several at once, and retries refused packs and failed
 * calls.
 */
import pMap from 'p-map';
import { intoCalls, type Pack, type Pointer } from '../contract/pointer.ts';
import { delayAfter } from '../runtime/back-off.ts';

/**
 * Sends the packs of one call and returns those that were refused. Throws if the call itself
 * failed.
 */
export type SendPacks = (packs: readonly Pack[]) => Promise<readonly Pack[]>;

export type Sleep = (millis: number) => Promise<void>;

export interface SendOptions {
  readonly send: SendPacks;
  /** Maximum number of pointers in an entry. */
  readonly pointersPerEntry: number;
  /** Called before each call. False if the time is up or another publisher has the lease. */
  readonly maySend: () => Promise<boolean>;
  readonly sleep: Sleep;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * The result of sending. `done`: the `refused` pointers stay pending in the outbox, where the sweep
 * finds them. `stopped`: the next publisher sends the rest from the same checkpoint; `failure` is
 * the error of the previous attempt, if it failed.
 */
export type SendReport =
  | { readonly outcome: 'done'; readonly refused: readonly Pointer[] }
  | { readonly outcome: 'stopped'; readonly failure: unknown };

/** Number of concurrent calls. */
export const concurrentCalls = 10;

const maxAttempts = 5;
const retryMillis = { first: 200, most: 3_200 };

/**
 * Sends all pointers. It retries the remaining ones with growing back-off until five attempts in a
 * row make no progress. Pointers that the bus still refuses are left to the sweep, because waiting
 * for them would delay everything behind them. If a bus accepts some calls and fails others,
 * everything is sent in the end.
 *
 * @throws Fault `bus-unavailable` if calls still fail as a whole: nothing after the checkpoint then
 * counts as sent.
 */
export async function sendAll(pointers: readonly Pointer[], options: SendOptions): Promise<SendReport> {
  let remaining = pointers;
  let attemptsWithoutProgress = 0;
  let failure: unknown;
  while (remaining.length > 0) {
    const attempt = await sendOnce(remaining, options);
    attemptsWithoutProgress = attempt.remaining.length < remaining.length ? 0 : attemptsWithoutProgress + 1;
    remaining = attempt.remaining;
    if (attempt.stopped) return { outcome: 'stopped', failure };
    failure = attempt.failures[0];
    if (attemptsWithoutProgress === maxAttempts) {
      if (failure !== undefined) throw failure;
      break;
    }
    if (remaining.length > 0)
      await options.sleep(delayAfter(attemptsWithoutProgress + 1, retryMillis) * (0.5 + options.random()));
  }
  return { outcome: 'done', refused: remaining };
}

interface Attempt {
  readonly remaining: readonly Pointer[];
  readonly failures: readonly unknown[];
  readonly stopped: boolean;
}

/**
 * Makes one attempt. It starts no further call after one has failed, and waits until all calls have
 * ended: none may still be running when the flow continues.
 */
async function sendOnce(
  pointers: readonly Pointer[],
  { send, maySend, pointersPerEntry }: SendOptions,
): Promise<Attempt> {
  const remaining: Pointer[] = [];
  const failures: unknown[] = [];
  let stopped = false;
  const sendCall = async (call: readonly Pack[]) => {
    try {
      stopped ||= failures.length === 0 && !(await maySend());
      remaining.push(...(stopped || failures.length > 0 ? call : await send(call)).flat());
    } catch (error) {
      failures.push(error);
      remaining.push(...call.flat());
    }
  };
  await pMap(intoCalls(pointers, pointersPerEntry), sendCall, { concurrency: concurrentCalls });
  return { remaining, failures, stopped };
}
