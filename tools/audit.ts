/**
 * `npm run audit`: asks the registry for known vulnerabilities of the production dependencies, lists them all, and fails on those of severity high or more. Needs the
 * registry, and so is no part of `npm run check`.
 */
import { spawnSync } from 'node:child_process';
import { type AuditException, judgeAudit, readAuditAnswer } from './audit-report.ts';
import { projectRoot } from './local/paths.ts';

/** What is borne for a while, each with its reason and its last day. None is. */
const exceptions: readonly AuditException[] = [];

// With the npm of the machine: the answer's form has been the same since npm 7.
const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  cwd: projectRoot,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (error !== undefined) process.stderr.write(`npm could not be run: ${error.message}\n`);
const { lines, failed } = judgeAudit(readAuditAnswer(stdout ?? ''), exceptions, new Date().toISOString().slice(0, 10));
for (const line of lines) process.stdout.write(`npm audit: ${line}\n`);
process.exitCode = failed ? 1 : 0;
