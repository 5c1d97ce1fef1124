/** Limits waiting for a server to the invocation's remaining time, so that the invocation ends in order and on time. */
import pTimeout from 'p-timeout';
import { Fault } from '../contract/fault.ts';

/**
 * Returns the answer, or throws a `time-up` fault after `millis`. The call itself continues in the background; its
 * result is ignored.
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
