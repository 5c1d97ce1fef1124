/** Decides when a stale event may be published again, and whether the attempt counts. Pure. */
import type { Schedule } from './stale-event.ts';

const firstBackOffMillis = 30_000;
const maxBackOffMillis = 900_000;

/** The inputs of an attempt's schedule beside the event. */
export interface AttemptConditions {
  readonly now: Date;
  /** When an event was last settled: a sign that the consumer works. */
  readonly lastProcessed: Date | null;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * Returns the schedule after one more attempt. The back-off doubles with each attempt, from 30 seconds to 15 minutes,
 * with a jitter of 25 %. An attempt counts only if another event was settled since the previous back-off ended, so that
 * an outage brings no event closer to being dead.
 */
export function scheduleAttempt(
  { attempts, nextAttemptAt }: Schedule,
  { now, lastProcessed, random }: AttemptConditions,
): Schedule {
  const counts = nextAttemptAt === null || (lastProcessed !== null && lastProcessed > nextAttemptAt);
  const backOffMillis = Math.min(maxBackOffMillis, firstBackOffMillis * 2 ** attempts);
  const jittered = Math.round(backOffMillis * (0.75 + 0.5 * random()));
  return { attempts: counts ? attempts + 1 : attempts, nextAttemptAt: new Date(now.getTime() + jittered) };
}
