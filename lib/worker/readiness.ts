/** Whether a worker works, for the readiness probe of a platform and for people. */
import { describeError } from '../contract/fault.ts';
import type { WorkHealth } from './work.ts';

/**
 * Whether a worker is set up, connected and working. A worker on standby is ready.
 *
 * @example
 * const { ready, problems }: Readiness = await worker.readiness();
 */
export interface Readiness extends WorkHealth {
  readonly ready: boolean;
  /** What is not ready, each in a sentence. */
  readonly problems: readonly string[];
}

/** @param check asks the servers, and returns their faults. */
export async function readinessOf(
  health: WorkHealth,
  isStopping: boolean,
  check: () => Promise<readonly unknown[]>,
): Promise<Readiness> {
  const problems = [
    ...(isStopping ? ['The worker is stopping.'] : []),
    ...Object.entries(health.failing).map(([part, failure]) => {
      const since = new Date(failure.since).toISOString();
      return `The ${part} has been failing since ${since}: ${failure.reason}`;
    }),
    ...(health.publisher === null && health.failing.publisher === undefined && !isStopping
      ? ['The publisher has not seen the lease of the outbox yet.']
      : []),
    ...(isStopping ? [] : (await check()).map((fault) => describeError(fault).reason)),
  ];
  return { ready: problems.length === 0, problems, ...health };
}
