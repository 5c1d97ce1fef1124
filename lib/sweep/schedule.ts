/** Decides when a stale event may be republished, and whether the attempt counts. Pure. */
import { delayAfter } from '../runtime/back-off.ts';
import type { Schedule } from './stale-event.ts';

const attemptMillis = { first: 30_000, most: 900_000 };

/** The inputs of an attempt's schedule other than the event. */
export interface AttemptConditions {
  readonly now: Date;
  /** Everything sent before this time was received: something sent later is settled. */
  readonly settledUntil: Date | null;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * Returns the schedule after one more attempt. The back-off doubles with each attempt, from 30
 * seconds to 15 minutes, with a jitter of 25 %. An attempt counts only if what was sent after the
 * previous back-off is settled, so that an outage does not use up an event's attempts.
 */
export function scheduleAttempt(
  { attempts, nextAttemptAt }: Schedule,
  { now, settledUntil, random }: AttemptConditions,
): Schedule {
  const counts = nextAttemptAt === null || (settledUntil !== null && settledUntil > nextAttemptAt);
  const jittered = Math.round(delayAfter(attempts + 1, attemptMillis) * (0.75 + 0.5 * random()));
  return { attempts: counts ? attempts + 1 : attempts, nextAttemptAt: new Date(now.getTime() + jittered) };
}
