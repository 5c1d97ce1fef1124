/**
 * Makes a command that records many events wait while many are pending, so that the users' own
 * events are not delayed.
 */

export interface CapacityPorts {
  /** Counts up to `limit`. */
  readonly countPending: (limit: number) => Promise<number>;
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly log: WaitingLog;
}

export interface WaitingLog {
  /** Recording is waiting for the consumer, because this many events are pending. */
  readonly waiting: (pending: number) => void;
}

/**
 * Documents recorded in one transaction: few, so that it is short and rarely conflicts with a
 * writer.
 */
export const recordedAtOnce = 100;

const pollMillis = 1_000;

/** Waits until at most `maxPending` events are pending. False if interrupted. */
export async function waitForCapacity(ports: CapacityPorts, maxPending: number): Promise<boolean> {
  while (!ports.isInterrupted()) {
    const pending = await ports.countPending(maxPending + 1);
    if (pending <= maxPending) return true;
    ports.log.waiting(pending);
    await ports.sleep(pollMillis);
  }
  return false;
}
