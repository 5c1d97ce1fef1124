/**
 * Random faults on a separate stack while writers write. `OUTGRAPH_SEED` repeats the faults of a
 * run.
 */
import { expect } from 'vitest';
import { chaosText } from '../../tools/chaos/report-text.ts';
import { runChaos } from '../../tools/chaos/run-chaos.ts';
import { FailureStack } from './failure-stack.ts';

/** Fails if a commit was lost, or if the graph has an element that no document lists. */
export async function expectNothingLost(seconds: number): Promise<void> {
  const stack = await FailureStack.start(`chaos-${seconds}`);
  try {
    const seed = Number(process.env.OUTGRAPH_SEED ?? Math.trunc(Math.random() * 0x7fffffff));
    const progress = (line: string) => process.stderr.write(`  ${line}\n`);
    const report = await runChaos(stack, { seconds, seed, signal: new AbortController().signal, progress });
    process.stderr.write(chaosText(report));
    expect(report.findings).toStrictEqual([]);
    expect(report.commits, 'commits').toBeGreaterThan(seconds / 2);
    expect(Object.keys(report.faults).length, 'kinds of faults').toBeGreaterThan(5);
  } finally {
    await stack.stop();
  }
}
