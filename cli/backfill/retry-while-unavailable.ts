/**
 * A command that runs for hours outlives what its servers need a minute for, such as a change of their leader. Time is
 * given to it.
 */
import { Fault, type FaultCode } from '../../lib/contract/fault.ts';

export interface RetryPorts {
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly log: { readonly away: (code: FaultCode) => void };
}

/** About a minute, together. */
const waitsMillis = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000] as const;

/**
 * Does what does no harm when it is done again, and again while a server is away.
 *
 * @throws what it throws, where that does not pass.
 */
export async function retryWhileUnavailable<Result>(ports: RetryPorts, work: () => Promise<Result>): Promise<Result> {
  for (const millis of waitsMillis) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || ports.isInterrupted()) throw error;
      ports.log.away(error.code);
    }
    await ports.sleep(millis);
  }
  return work();
}

/** Whether it is a server that is away, which may pass. */
export function isUnavailable(error: unknown): error is Fault {
  return error instanceof Fault && (error.code === 'neo4j-unavailable' || error.code === 'mongodb-unavailable');
}
