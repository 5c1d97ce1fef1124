/** Throttles long work to a rate, so that it does not disturb other work. Time is injected. */

export interface PacePorts {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly sleep: (millis: number) => Promise<void>;
}

/** Call it after this many items. It waits until the time that they may take has passed. */
export type Pace = (items: number) => Promise<void>;

/** A pace of `perSecond` items. It does not make up for time lost to slow work. */
export function createPace(perSecond: number, { now, sleep }: PacePorts): Pace {
  let dueAt = Number.NEGATIVE_INFINITY;
  return async (items) => {
    const time = now();
    dueAt = Math.max(dueAt, time) + (items / perSecond) * 1_000;
    await sleep(dueAt - time);
  };
}

/**
 * The chunk size for an even pace: the items of a tenth of a second, at least 1 and at most
 * `largest`.
 */
export function chunkFor(perSecond: number, largest: number): number {
  return Math.max(1, Math.min(largest, Math.floor(perSecond / 10)));
}
