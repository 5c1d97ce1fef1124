/**
 * `npm run chaos -- --minutes N --seed S`: random writers and random faults on a separate stack,
 * and an audit at the end. Exits 0 only if nothing is lost.
 */
import { Command } from 'commander';
import { FailureStack } from '../../test/support/failure-stack.ts';
import { integer, positive } from '../command-options.ts';
import { runWithServers } from '../local/run-with-stack.ts';
import { chaosText } from './report-text.ts';
import { runChaos } from './run-chaos.ts';

const options = new Command('npm run chaos --')
  .description(
    'Inject random faults into the deployed functions and their servers while writers write, ' +
      'and audit that nothing is lost.',
  )
  .option('--minutes <count>', 'how long to run', positive, 10)
  .option('--seed <seed>', 'seed of the faults and writes; the same seed repeats them', integer)
  .option('--json', 'print the report as one line of JSON')
  .parse()
  .opts<{ minutes: number; seed?: number; json?: true }>();

await runWithServers({
  start: (signal) => FailureStack.start('chaos', signal),
  run: async (stack, signal) => {
    const report = await runChaos(stack, {
      seconds: options.minutes * 60,
      seed: options.seed ?? Math.trunc(Math.random() * 0x7fffffff),
      signal,
      progress: (line) => process.stderr.write(`  ${line}\n`),
    });
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : chaosText(report));
    if (report.findings.length > 0) process.stderr.write(`The logs of the run: ${stack.keptLogs}\n`);
    return report.findings.length === 0 ? 0 : 1;
  },
});
