/** Sends pointers in calls of ten, several at once, and sends the refused ones again. */
import pMap from 'p-map';
import { type Pointer, pointersPerCall } from '../contract/pointer.ts';
import { inChunks } from '../in-chunks.ts';

/** Sends at most ten pointers and returns those that were refused; throws if the call itself failed. */
export type SendPointers = (pointers: readonly Pointer[]) => Promise<readonly Pointer[]>;

/** Waits for a time. */
export type Sleep = (millis: number) => Promise<void>;

export interface SendOptions {
  readonly send: SendPointers;
  readonly sleep: Sleep;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/** What sending came to. The `refused` stay pending in the outbox, where the sweep finds them. */
export interface SendReport {
  readonly sent: number;
  readonly refused: number;
}

/** Calls that are under way at once. */
export const concurrentCalls = 10;

const maxAttempts = 5;

/**
 * Sends all, the refused ones up to five times with growing waits. An entry that the bus still refuses is left to the sweep: waiting for it would hold
 * up everything after it.
 *
 * @throws Fault `bus-unavailable` if a call failed as a whole: nothing after the checkpoint counts as sent then.
 */
export async function sendAll(pointers: readonly Pointer[], options: SendOptions): Promise<SendReport> {
  let rest = pointers;
  for (let attempt = 1; rest.length > 0 && attempt <= maxAttempts; attempt += 1) {
    if (attempt > 1) await options.sleep(100 * 2 ** attempt * (0.5 + options.random()));
    rest = await sendOnce(rest, options.send);
  }
  return { sent: pointers.length - rest.length, refused: rest.length };
}

async function sendOnce(pointers: readonly Pointer[], send: SendPointers): Promise<readonly Pointer[]> {
  const refused: Pointer[] = [];
  const failures: unknown[] = [];
  const sendSome = async (some: readonly Pointer[]) => {
    if (failures.length > 0) return;
    try {
      refused.push(...(await send(some)));
    } catch (error) {
      failures.push(error);
    }
  };
  // A failure is thrown when all calls have ended: none may be left running behind the flow's back.
  await pMap(inChunks(pointers, pointersPerCall), sendSome, { concurrency: concurrentCalls });
  if (failures.length > 0) throw failures[0];
  return refused;
}
