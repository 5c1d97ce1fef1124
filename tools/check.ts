/**
 * `npm run check`: all checks that take seconds and need no server. The steps run concurrently, and
 * a failed step does not stop the others. `--no-tests` skips the unit tests, for a caller that runs
 * them anyway.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import pMap from 'p-map';
import { projectRoot } from './local/paths.ts';

interface Step {
  readonly name: string;
  /** Below `node_modules`. */
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * Permissive licences: they require a notice at most, so they do not restrict users of outgraph,
 * which is under Apache-2.0.
 */
const allowedLicences = ['Apache-2.0', 'MIT', 'MIT-0', '0BSD', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause'];
const compiler = 'typescript-native/bin/tsc';
/** Services may still compile with it. */
const olderCompiler = 'typescript/bin/tsc';
const licenceChecker = 'license-checker-rseidelsohn/bin/license-checker-rseidelsohn.js';
const allowOnly = ['--production', '--summary', '--onlyAllow', allowedLicences.join(';')];

/** Number of steps at the same time: small machines have two processors. */
const concurrency = 2;

const unitTests: Step = { name: 'unit tests', script: 'vitest/vitest.mjs', args: ['run', '--project', 'unit'] };
const otherSteps: readonly Step[] = [
  { name: 'types', script: compiler, args: ['-p', '.'] },
  { name: 'types of the entry points, with TypeScript 5', script: olderCompiler, args: ['-p', 'tsconfig.types.json'] },
  { name: "types of the console's page", script: compiler, args: ['-p', 'console/page'] },
  {
    name: 'lint, format and import rules',
    script: '@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
  },
  { name: 'licences', script: licenceChecker, args: allowOnly },
];
// The longest first.
const steps = process.argv.includes('--no-tests') ? otherSteps : [unitTests, ...otherSteps];

process.stdout.write(`Checking ${steps.map(({ name }) => name).join(', ')} …\n`);
const passed = await pMap(steps, runStep, { concurrency });
const failed = steps.filter((_, index) => !passed[index]);
process.stdout.write(
  failed.length === 0 ? 'All checks passed.\n' : `Failed: ${failed.map(({ name }) => name).join(', ')}.\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Prints one line when the step has finished, and its output if it failed. */
async function runStep(step: Step): Promise<boolean> {
  const { name, script, args } = step;
  const startedAt = performance.now();
  const { error, output } = await run(path.join(projectRoot, 'node_modules', script), args);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  const counts = step === unitTests ? `: ${output.trimEnd().split('\n').at(-1)}` : '';
  process.stdout.write(
    error === null
      ? `  ${name}, ${seconds} s${counts}\n`
      : `\n${output.trimEnd()}\nFailed after ${seconds} s: ${name}\n\n`,
  );
  return error === null;
}

function run(
  file: string,
  args: readonly string[],
): Promise<{ readonly error: Error | null; readonly output: string }> {
  const options = { cwd: projectRoot, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) =>
      resolve({ error, output: `${stdout}${stderr}` }),
    );
  });
}
