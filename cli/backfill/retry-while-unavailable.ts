/**
 * Lets a command that runs for hours survive short outages, such as an election. Time is injected.
 */
import { Fault, type FaultCode } from '../../lib/contract/fault.ts';

export interface RetryPorts {
  readonly sleep: (millis: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly log: { readonly unavailable: (code: FaultCode) => void };
}

/** About a minute in total. */
const waitsMillis = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000] as const;

/**
 * Retries an idempotent operation for about a minute while MongoDB or Neo4j is unavailable.
 *
 * @throws any other error of the operation. After a minute or an interruption: the server's fault.
 */
export async function retryWhileUnavailable<Result>(ports: RetryPorts, work: () => Promise<Result>): Promise<Result> {
  for (const millis of waitsMillis) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || ports.isInterrupted()) throw error;
      ports.log.unavailable(error.code);
    }
    await ports.sleep(millis);
  }
  return work();
}

export function isUnavailable(error: unknown): error is Fault {
  return error instanceof Fault && (error.code === 'neo4j-unavailable' || error.code === 'mongodb-unavailable');
}
