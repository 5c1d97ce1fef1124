/** Exponential back-off, in the unit of its bounds. Callers add the jitter. */

export interface BackOff {
  /** The delay after the first attempt. */
  readonly first: number;
  /** The longest delay. */
  readonly most: number;
}

/**
 * The delay after a number of attempts; it doubles with each one.
 *
 * @example
 * [1, 2, 3, 9].map((attempts) => delayAfter(attempts, { first: 30, most: 900 }));
 * // [30, 60, 120, 900]
 */
export function delayAfter(attempts: number, { first, most }: BackOff): number {
  return Math.min(first * 2 ** Math.max(0, attempts - 1), most);
}
