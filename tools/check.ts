/**
 * `npm run check`: all that a machine can check in seconds and without a server. Every step runs, also after one that
 * failed. `--no-tests` leaves out the unit tests, for a caller that runs them anyway.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './local/paths.ts';

/** Permissive: they ask for a notice at most, and so are no obstacle for who uses outgraph under Apache-2.0. */
const allowedLicences = ['Apache-2.0', 'MIT', 'MIT-0', '0BSD', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause'];

const withTests = !process.argv.includes('--no-tests');
const failed: string[] = [];
runStep('types', 'node_modules/typescript-native/bin/tsc', ['-p', '.']);
runStep("types of the console's page", 'node_modules/typescript-native/bin/tsc', ['-p', 'console/page']);
const biome = 'node_modules/@biomejs/biome/bin/biome';
runStep('lint, format and import rules', biome, ['check', '--error-on-warnings', '.']);
const licenceChecker = 'node_modules/license-checker-rseidelsohn/bin/license-checker-rseidelsohn.js';
runStep('licences', licenceChecker, ['--production', '--summary', '--onlyAllow', allowedLicences.join(';')]);
if (withTests) runStep('unit tests', 'node_modules/vitest/vitest.mjs', ['run', '--project', 'unit']);

process.stdout.write(failed.length === 0 ? 'All checks passed.\n' : `Failed: ${failed.join(', ')}.\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function runStep(name: string, script: string, args: readonly string[]): void {
  process.stdout.write(`${name} …\n`);
  const result = spawnSync(process.execPath, [path.join(projectRoot, script), ...args], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  if (result.status !== 0) failed.push(name);
}
