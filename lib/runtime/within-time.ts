/**
 * Bounds what waits for a server by the time that an invocation has left, so that it ends by itself and in order, and
 * is never ended in the middle.
 */
import pTimeout from 'p-timeout';
import { Fault } from '../contract/fault.ts';

/**
 * The answer, or a `time-up` fault once so many milliseconds have passed. What was called goes on behind the caller's
 * back; its end no longer matters.
 *
 * @example
 * await withinTime('Neo4j', remainingMillis() - 10_000, () => driver.executeQuery('RETURN 1'));
 */
export function withinTime<Answer>(server: string, millis: number, call: () => Promise<Answer>): Promise<Answer> {
  return pTimeout(call(), {
    milliseconds: Math.max(1, millis),
    message: new Fault('time-up', `${server} did not answer before the time was up.`),
  });
}
