/** Limits waits for a server to the remaining time, so that the invocation ends cleanly. */
import pTimeout from 'p-timeout';
import { Fault } from '../contract/fault.ts';

/**
 * Returns the answer, or throws a `time-up` fault after `millis`. The call continues in the
 * background, and its result is ignored.
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
