/** Holds long work to a rate, so that whoever lives beside it hardly notices. Time is given to it. */

export interface PacePorts {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly sleep: (millis: number) => Promise<void>;
}

/** Waits, after so many items, until as much time has passed as they may take. */
export type Pace = (items: number) => Promise<void>;

/** A pace of so many items a second. What was lost while something else was slow is not made up for. */
export function createPace(perSecond: number, { now, sleep }: PacePorts): Pace {
  let dueAt = Number.NEGATIVE_INFINITY;
  return async (items) => {
    const time = now();
    dueAt = Math.max(dueAt, time) + (items / perSecond) * 1_000;
    await sleep(dueAt - time);
  };
}

/** Items to take at once so that the pace is even: what a tenth of a second allows, within limits. */
export function chunkFor(perSecond: number, largest: number): number {
  return Math.max(1, Math.min(largest, Math.floor(perSecond / 10)));
}
