/** `npm run smoke` on LocalStack: it proves a stage, and says so in a table. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withDeploymentFolder } from '../../tools/local/deployment-folder.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { putSecrets } from '../../tools/local/put-secrets.ts';
import type { CheckResult } from '../../tools/smoke/check.ts';
import { type OwnNeo4j, takeNeo4j } from '../support/take-neo4j.ts';
import { closeClients, mongodb } from '../support/wait-for.ts';
import { targetBeside } from './second-deployment.ts';

const db = mongodb.db(`outgraph_smoke_${randomBytes(6).toString('hex')}`);
const stage = 'smoke';
const target = targetBeside(db.databaseName, stage);

let neo4j: OwnNeo4j;
let databases: typeof target.databases;
beforeAll(async () => {
  neo4j = await takeNeo4j();
  databases = { ...target.databases, NEO4J_URI: neo4j.uri, NEO4J_USERNAME: '', NEO4J_PASSWORD: '' };
});
afterAll(async () => {
  await db.dropDatabase();
  await closeClients();
  await neo4j.release();
});

/** Runs it as a person does who is not asked. */
async function smoke(...args: readonly string[]) {
  const tool = [path.join(projectRoot, 'tools/smoke/run.ts'), ...args];
  const env = { ...process.env, ...databases, AWS_ENDPOINT_URL: target.endpointUrl, AWS_REGION: target.region };
  const ended = promisify(execFile)(process.execPath, tool, { cwd: projectRoot, env }).then(
    (output) => ({ ...output, code: 0 }),
    ({ stdout, stderr, code }) => ({ stdout, stderr, code }),
  );
  const { stdout, stderr, code } = await ended;
  const answer = stdout.startsWith('{') ? JSON.parse(stdout) : {};
  return { code, stderr, checks: (answer.checks ?? []) as readonly CheckResult[] };
}

it('asks before it spends anything, and says how much', async () => {
  const { code, stderr } = await smoke('--stage', stage);
  expect(code).toBe(3);
  expect(stderr).toMatch(/Deploy the stage xmem-smoke in LocalStack .*at most about \$0\.\d\d.*Not a terminal/s);
});

it('refuses a stage that exists, unless it is named as existing', async () => {
  const { code, stderr } = await smoke('--stage', 'local', '--yes');
  expect(code).toBe(3);
  expect(stderr).toContain('xmem-local exists already');
});

it('deploys nothing if a secret is missing, and says which', async () => {
  const { code, checks } = await smoke('--stage', 'smoke-without-secrets', '--yes', '--json');
  expect(code).toBe(1);
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  expect(failed).toMatchObject([{ name: 'Every secret of the stage is in place' }]);
  expect(failed[0]?.finding).toContain('/xmem/smoke-without-secrets/neo4j-uri');
  expect(checks.find(({ name }) => name === 'The stage can be deployed')?.outcome).toBe('not run');
});

it('proves a stage that it deploys and removes', { timeout: 1_200_000 }, async () => {
  await putSecrets(target, `/xmem/${stage}`, databases);
  const { code, stderr, checks } = await withDeploymentFolder('xmem', (folder) =>
    smoke('--stage', stage, '--service', folder, '--events', '1,100,5x1MB', '--idle-seconds', '2', '--yes', '--json'),
  );
  process.stderr.write(stderr);
  expect(checks.filter(({ outcome }) => outcome === 'failed')).toStrictEqual([]);
  expect(checks.filter(({ outcome }) => outcome === 'not run')).toStrictEqual([]);
  const skipped = checks.filter(({ outcome }) => outcome === 'skipped').map(({ name }) => name);
  expect(skipped).toStrictEqual([
    'A deployment with a broken setting is rolled back',
    'After the rollback, it can be deployed again',
  ]);
  expect(code).toBe(0);
});
