import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../tools/local/paths.ts';

/** The alarms' topic as serverless.yml defines it with these parameters. */
async function topicWith(...params: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const serverless = path.join(projectRoot, 'node_modules/serverless/bin/serverless.js');
  const flags = params.map((param) => `--param=${param}`);
  const { stdout } = await promisify(execFile)(process.execPath, [serverless, 'print', '--format', 'json', ...flags], {
    cwd: projectRoot,
    env: {
      ...process.env,
      MONGODB_URI: 'mongodb://not-used',
      NEO4J_URI: 'bolt://not-used',
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    },
  });
  return JSON.parse(stdout.slice(stdout.indexOf('{'))).resources.Resources.AlarmTopic.Properties;
}

it('the topic of alarms is encrypted only with a given key', {
  timeout: 60_000,
}, async () => {
  expect(await topicWith()).toMatchObject({ KmsMasterKeyId: { Ref: 'AWS::NoValue' } });
  expect(await topicWith('alarmTopicKmsKeyId=alias/on-call')).toMatchObject({ KmsMasterKeyId: 'alias/on-call' });
});
