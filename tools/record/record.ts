/**
 * `npm run record`: starts the stack, lets this version write, publish, apply and sweep, and saves
 * the data it leaves behind in `recorded/<version>`. The maintainer of a release runs it once. A
 * version that is recorded already is left alone, because the recording is what that version really
 * wrote.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { recordedFolder, writeRecorded } from '../../test/upgrade/recorded-version.ts';
import { projectRoot } from '../local/paths.ts';
import { runWithStack } from '../local/run-with-stack.ts';
import { recordStack } from './record-stack.ts';

const { version } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };

if (existsSync(recordedFolder(version))) {
  process.stderr.write(
    `Version ${version} is already recorded in ${path.relative(projectRoot, recordedFolder(version))}. ` +
      'If it was never released, remove that folder and run this again.\n',
  );
  process.exitCode = 1;
} else {
  await runWithStack({
    mongodbMembers: 1,
    run: async ({ description }) => {
      writeRecorded({ version, ...(await recordStack(description)) });
      process.stdout.write(`Recorded version ${version}. Run the test with: npm test -- test/integration/upgrade\n`);
      return 0;
    },
  });
}
