/** Shared by the rows of the crash table. */
import { expect } from 'vitest';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import type { FailureStack } from '../../support/failure-stack.ts';
import type { Workload } from '../../support/workload.ts';
import type { CrashName, RowElsewhere } from '../crash-table.ts';

/** The tests of some rows. Each causes the row's fault and checks the row's claims. */
export type CrashRows = Partial<
  Readonly<Record<Exclude<CrashName, RowElsewhere>, (stack: FailureStack) => Promise<void>>>
>;

/** Every event is processed, and the graph equals the documents: each element once, no ghost. */
export async function expectInStep(workload: Workload, events: number, timeoutSeconds?: number): Promise<void> {
  expect(await workload.untilSettled(timeoutSeconds)).toStrictEqual({ pending: 0, processed: events, dead: 0 });
  const { found, expected } = await workload.compare();
  expect(found).toStrictEqual(expected);
  expect(expected.nodes.size).toBeGreaterThan(0);
}

/** Resolves when the check returns true. */
export function until(what: string, check: () => Promise<boolean> | boolean, timeoutSeconds = 120): Promise<true> {
  return waitUntil(async () => (await check()) || undefined, { timeoutSeconds, pollMillis: 100, what });
}
