/**
 * `npm run licences`: writes the page of third-party licences, `docs/licences.md`. With `--check`, as `npm run check` calls it, only compares. Both fail on a licence that is
 * not allowed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { allowedLicences } from './allowed-licences.ts';
import { licencePage, licenceProblems } from './licence-page.ts';
import { projectRoot } from './local/paths.ts';
import { readProductionPackages } from './production-packages.ts';

const file = path.join(projectRoot, 'docs/licences.md');
const packages = await readProductionPackages();
const page = licencePage(packages);
const problems = [...licenceProblems(packages, allowedLicences)];
if (!process.argv.includes('--check')) writeFileSync(file, page);
else if (readOrNothing(file) !== page) problems.push('docs/licences.md is not up to date: run "npm run licences".');
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function readOrNothing(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch {
    return '';
  }
}
