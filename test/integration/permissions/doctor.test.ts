/** `outgraph doctor` with the users of single parts, on servers with access control. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckResult } from '../../../cli/doctor/doctor.ts';
import { applyMongodbRoles } from '../../../infra/permissions/apply-mongodb-roles.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { type Part, parts, roleName } from '../../../lib/set-up/mongodb-roles.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';
import { servers } from '../../support/servers.ts';
import { randomPassword, type SecuredMongodb, startSecuredMongodb } from './secured-servers.ts';

const database = 'doctor';
const documents = ['memory_users', 'memory_events', 'code_repositories', 'code_files', 'code_annotations'];
const password = randomPassword();
let mongodb: SecuredMongodb;

beforeAll(async () => {
  mongodb = await startSecuredMongodb();
  await setUpOutbox(mongodb.admin.db(database), { processedRetentionSeconds: 3_600 });
  const passwords = Object.fromEntries(parts.map((part) => [part, password]));
  await applyMongodbRoles(mongodb.admin, { database, writerCollections: documents, passwords });
});
afterAll(() => mongodb.stop());

async function examine(uri: string) {
  const settings = { MONGODB_URI: uri, MONGODB_DATABASE: database, NEO4J_URI: servers.neo4jUri };
  const { stdout, stderr } = await startOutgraph(['doctor', '--json'], settings).ended;
  const { checks }: { checks: readonly CheckResult[] } = JSON.parse(stdout);
  const inMongodb = checks.filter(({ group }) => group === 'MongoDB');
  return {
    output: stdout + stderr,
    wrong: inMongodb.filter(({ outcome }) => outcome === 'wrong').map(({ name }) => name),
    of: (name: string) => inMongodb.find((check) => check.name === name),
  };
}

const uriOf = (part: Part) => mongodb.uriOf(roleName(part, database), password);

it.each<readonly [Part, string]>([
  ['writer', 'writer'],
  ['publisher', 'publisher'],
  ['consumer', 'consumer'],
  ['sweep', 'sweep'],
  ['set-up', 'set-up'],
  ['worker', 'publisher, consumer, sweep, worker'],
  ['operator', 'operator'],
  ['reprojection', 'reprojection'],
  ['erasure', 'erasure'],
])('the user of %s has the rights of: %s; checks that it may not run are skipped', async (part, able) => {
  const { wrong, of } = await examine(uriOf(part));
  expect(wrong).toStrictEqual([]);
  expect(of('rights of the user')).toMatchObject({
    outcome: 'ok',
    detail: `${roleName(part, database)} has the rights of: ${able}`,
  });
  expect(of('validator')).toMatchObject({ outcome: 'skipped', detail: expect.stringMatching(/listCollections/) });
  expect(of('timestamps')).toMatchObject({
    outcome: ['writer', 'operator', 'erasure'].includes(part) ? 'skipped' : 'ok',
  });
  expect(of('oplog')).toMatchObject({ outcome: 'skipped', detail: expect.stringMatching(/local\.oplog\.rs/) });
});

it('an administrator can run every check', async () => {
  const { wrong, of } = await examine(mongodb.uriOf('root', mongodb.adminPassword));
  expect(wrong).toStrictEqual([]);
  expect(of('rights of the user')?.detail).toMatch(/writer, publisher, consumer, sweep, set-up, worker, operator/);
  for (const name of ['timestamps', 'validator', 'oplog', 'write concern', 'feature compatibility'])
    expect(of(name)).toMatchObject({ outcome: 'ok' });
});

it('warns about a user without a role of outgraph, and lists missing rights', async () => {
  await mongodb.admin.db('admin').command({
    createUser: 'reader',
    pwd: password,
    roles: [{ role: 'read', db: database }],
  });
  const { wrong, of } = await examine(mongodb.uriOf('reader', password));
  expect(wrong).toStrictEqual([]);
  expect(of('rights of the user')).toMatchObject({
    outcome: 'warning',
    detail: expect.stringMatching(/also needs: .* on outbox/),
  });
  expect(of('validator')).toMatchObject({ outcome: 'ok' });
});

it('an operator who can also read the database and monitor the cluster can run every check', async () => {
  const roles = [roleName('operator', database), 'clusterMonitor'].map((role) => ({ role, db: 'admin' }));
  await mongodb.admin
    .db('admin')
    .command({ createUser: 'watcher', pwd: password, roles: [...roles, { role: 'read', db: database }] });
  const { wrong, of } = await examine(mongodb.uriOf('watcher', password));
  expect(wrong).toStrictEqual([]);
  for (const name of ['validator', 'oplog', 'write concern', 'feature compatibility'])
    expect(of(name)).toMatchObject({ name, outcome: 'ok' });
});

it('reports a wrong or missing password without showing it', async () => {
  const wrongPassword = randomPassword();
  const refused = await examine(mongodb.uriOf(roleName('sweep', database), wrongPassword));
  expect(refused.wrong).toStrictEqual(['reachable']);
  expect(refused.of('reachable')?.detail).toMatch(/refuses the user or its password/);
  expect(refused.output).not.toContain(wrongPassword);
  const anonymous = await examine(mongodb.uriOf('x', 'y').replace('x:y@', ''));
  expect(anonymous.wrong).toStrictEqual(['reachable']);
  expect(anonymous.of('reachable')?.detail).toMatch(/refuses the user/);
});
