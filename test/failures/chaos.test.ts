/** Two minutes of chaos, on a stack of its own. `OUTGRAPH_SEED` repeats the faults of a run. */
import { expect, it } from 'vitest';
import { chaosText } from '../../tools/chaos/report-text.ts';
import { runChaos } from '../../tools/chaos/run-chaos.ts';
import { FailureStack } from '../support/failure-stack.ts';

const seconds = 120;

it('nothing is lost and no ghost stands after two minutes of random faults', { timeout: 900_000 }, async () => {
  const stack = await FailureStack.start('chaos');
  try {
    const seed = Number(process.env.OUTGRAPH_SEED ?? Math.trunc(Math.random() * 0x7fffffff));
    const { signal } = new AbortController();
    const report = await runChaos(stack, {
      seconds,
      seed,
      signal,
      progress: (line) => process.stderr.write(`  ${line}\n`),
    });
    process.stderr.write(chaosText(report));
    expect(report.findings).toStrictEqual([]);
    expect(report.commits).toBeGreaterThan(100);
    expect(Object.keys(report.faults).length).toBeGreaterThan(5);
  } finally {
    await stack.stop();
  }
});
