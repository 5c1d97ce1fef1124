/** `npm run check`: everything that a machine can check in seconds and without a server. All of it runs, also after a failure. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { projectRoot, stackFolder } from './local/paths.ts';
import { runVitest } from './local/run-vitest.ts';

mkdirSync(stackFolder, { recursive: true });
const failed: string[] = [];
runStep('types', 'node_modules/typescript/bin/tsc', ['-p', '.']);
runStep("types of the console's page", 'node_modules/typescript/bin/tsc', ['-p', 'console/page']);
runStep('lint, format and import rules', 'node_modules/@biomejs/biome/bin/biome', [
  'check',
  '--error-on-warnings',
  '.',
]);
runStep('licences', 'infra/licences.ts', ['--check']);
process.stdout.write('unit tests …\n');
if ((await runVitest({ args: ['--project', 'unit'], report: 'check-report.json' })) !== 0) failed.push('unit tests');

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
