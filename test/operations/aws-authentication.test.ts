/**
 * The bundle of a function signs in to MongoDB with its IAM role (`MONGODB-AWS`): it contains what
 * the driver needs to find the role's credentials. Only Atlas and MongoDB Enterprise accept the
 * mechanism, so this server answers that it does not know it. Without the credentials, the function
 * would not have asked it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleFunctions } from '../../tools/bundle-functions.ts';
import { stack } from '../support/stack.ts';

/** Outside the project, where no package can be found. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-aws-authentication-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const invoke = `
const { handler } = require('./function.cjs');
const context = { awsRequestId: 'one', functionName: 'publisher', getRemainingTimeInMillis: () => 20_000 };
handler({}, context).then(() => process.exit(0), (error) => {
  console.log(String(error));
  process.exit(1);
});`;

/** What the publisher's bundle prints when it is invoked with these variables. */
async function invokePublisher(environment: Readonly<Record<string, string>>): Promise<string> {
  const publisher = (await bundleFunctions('.')).find(({ name }) => name === 'publisher');
  await writeFile(path.join(folder, 'function.cjs'), publisher?.code ?? '');
  await writeFile(path.join(folder, 'invoke.cjs'), invoke);
  const env = {
    AWS_REGION: 'us-east-1',
    EVENT_BUS_NAME: 'bus',
    POWERTOOLS_METRICS_NAMESPACE: 'Outgraph',
    ...environment,
  };
  const ended = promisify(execFile)(process.execPath, ['invoke.cjs'], { cwd: folder, env, timeout: 120_000 });
  return ended.then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}

it('the bundle asks MongoDB to accept the credentials of its role', async () => {
  const uri = new URL(stack.mongodbUri);
  uri.searchParams.set('authMechanism', 'MONGODB-AWS');
  uri.searchParams.set('authSource', '$external');
  const printed = await invokePublisher({
    MONGODB_URI: uri.href,
    MONGODB_DATABASE: 'outgraph_aws_authentication',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-role',
    AWS_SESSION_TOKEN: 'token-of-the-role',
  });
  expect(printed).toContain('MongoDB does not offer the authMechanism of MONGODB_URI (code 334).');
  expect(printed).not.toContain('secret-of-the-role');
});
