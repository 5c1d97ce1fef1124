/**
 * `npm test`: starts the servers once, runs the tests against them, and ends them. Further arguments go to vitest: `npm test -- test/integration/writer`,
 * `npm test -- --project unit` (which needs no server and starts none), `npm test -- --project failures -t "consumer killed"`.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runVitest } from '../infra/local/run-vitest.ts';
import { runWithStack } from '../infra/local/run-with-stack.ts';
import { stackVariable } from './support/stack-variable.ts';

const report = 'test-report.json';
const args = process.argv.slice(2);

/** Unit tests and those of the infrastructure need no servers, and failure tests start servers of their own, to break them. */
const ownServers = ['unit', 'package', 'failures'];
const projects = [...args.join(' ').matchAll(/--project[= ](\S+)/g)].map(([, name = '']) => name);
const files = args.filter((arg) => arg.startsWith('test/'));
const bringsItsOwn =
  projects.length + files.length > 0 &&
  (projects.length > 0
    ? projects.every((name) => ownServers.includes(name))
    : files.every((file) => ownServers.some((name) => file.startsWith(`test/${name}`))));

if (bringsItsOwn) {
  process.exitCode = await runVitest({ args, report });
} else {
  await runWithStack({
    mongodbMembers: 3,
    run: async ({ description, logsFolder }, signal) => {
      const file = path.join(logsFolder, '..', 'test-stack.json');
      await writeFile(file, JSON.stringify({ ...description, logsFolder }));
      const env = {
        [stackVariable]: file,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: description.awsRegion,
      };
      return runVitest({ args, env, report, signal });
    },
  });
}
