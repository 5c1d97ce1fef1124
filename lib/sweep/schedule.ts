/** When a stale event may be published again, and whether the attempt counts. Pure: time and chance are arguments. */
import type { Schedule } from './stale-event.ts';

const firstBackOffMillis = 30_000;
const maxBackOffMillis = 900_000;

/** What an attempt's schedule depends on besides the event. */
export interface AttemptConditions {
  readonly now: Date;
  /** When an event was settled last: the sign that the consumer works. */
  readonly lastProcessed: Date | null;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
}

/**
 * The schedule with one attempt more: the back-off doubles with each, from 30 seconds to 15 minutes, give or take a
 * quarter. An attempt counts only if some event was settled since the last one ended: in an outage no event gets nearer
 * to its end.
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
