/**
 * Whoever records many events at once waits while many are pending, so that the users' own events do not stand in a
 * long queue behind them.
 */

export interface CapacityPorts {
  /** Counts no further than `limit`. */
  readonly countPending: (limit: number) => Promise<number>;
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly log: WaitingLog;
}

export interface WaitingLog {
  /** So many events wait already that recording waits for the consumer. */
  readonly waiting: (pending: number) => void;
}

/** Documents that are recorded in one transaction: few, so that it is short and seldom in a writer's way. */
export const recordedAtOnce = 100;

const pollMillis = 1_000;

/** Waits until no more than `maxPending` events are pending. False: interrupted. */
export async function waitForCapacity(ports: CapacityPorts, maxPending: number): Promise<boolean> {
  while (!ports.isInterrupted()) {
    const pending = await ports.countPending(maxPending + 1);
    if (pending <= maxPending) return true;
    ports.log.waiting(pending);
    await ports.sleep(pollMillis);
  }
  return false;
}
