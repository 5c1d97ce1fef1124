/** `outgraph worker --set-up`: one command for two empty databases. */
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import neo4j, { type Driver } from 'neo4j-driver';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { readSettings, setUpSettings } from '../../../lib/runtime/settings.ts';
import { setUpOnce } from '../../../lib/set-up/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import { servers } from '../../support/servers.ts';
import { type OwnNeo4j, takeNeo4j } from '../../support/take-neo4j.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let client: MongoClient;
let graph: OwnNeo4j;
let driver: Driver;
beforeAll(async () => {
  client = new MongoClient(servers.mongodbUri);
  graph = await takeNeo4j();
  driver = neo4j.driver(graph.uri);
});
afterAll(async () => {
  await client.db(settings.MONGODB_DATABASE).dropDatabase();
  await Promise.all([client.close(), driver.close(), graph.release()]);
});

let settings: Record<'MONGODB_URI' | 'MONGODB_DATABASE' | 'NEO4J_URI', string>;
/** Two empty databases. */
beforeEach(async () => {
  if (settings !== undefined) await client.db(settings.MONGODB_DATABASE).dropDatabase();
  const database = `outgraph_set_up_${randomBytes(6).toString('hex')}`;
  settings = { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: database, NEO4J_URI: graph.uri };
  await driver.executeQuery('MATCH (n) DETACH DELETE n');
  const { records } = await driver.executeQuery('SHOW CONSTRAINTS YIELD name RETURN name');
  for (const record of records) await driver.executeQuery(`DROP CONSTRAINT \`${record.get('name')}\``);
});

it('three workers with --set-up set up two empty databases at once, and all of them tail', async () => {
  const workers = await Promise.all(
    Array.from({ length: 3 }, () => startWorkerProcess(settings, undefined, ['--set-up'])),
  );
  const states = await Promise.all(workers.map((worker) => worker.until('ready')));
  expect(states.map(({ publisher }) => publisher).sort()).toStrictEqual(['tail', 'tail', 'tail']);
  expect(await Promise.all(workers.map((worker) => worker.terminate()))).toMatchObject(
    workers.map(() => ({ exitCode: 0, stderr: '' })),
  );
  const { stdout } = await startOutgraphProcess(['set-up', '--json'], settings).ended;
  const { mongodb, neo4j: inNeo4j } = JSON.parse(stdout);
  expect([...mongodb, ...inNeo4j].filter(({ outcome }) => outcome === 'made' || outcome === 'changed')).toStrictEqual(
    [],
  );
});

it('eight set-ups at once of two empty databases all succeed, with one outbox', async () => {
  const given = readSettings(setUpSettings, settings);
  const reports = await Promise.all(Array.from({ length: 8 }, () => setUpOnce(given, catalog)));
  const ids = reports.map(({ neo4j: steps }) => steps.find(({ what }) => what.startsWith('id of the outbox'))?.what);
  expect(new Set(ids).size).toBe(1);
});

it('a worker with --set-up waits for a server that is away: it is live and not ready', async () => {
  await graph.stop();
  const worker = await startWorkerProcess(settings, undefined, ['--set-up']);
  await waitUntil(async () => worker.stderrSoFar().includes('waiting for the set-up') || undefined, {
    timeoutSeconds: 60,
    pollMillis: 50,
    what: 'the worker to wait',
  });
  expect(await worker.isLive()).toBe(true);
  expect(await worker.readiness()).toMatchObject({ status: 503, problems: ['The worker is starting.'] });
  await graph.start();
  await worker.until('ready');
  expect(await worker.terminate()).toMatchObject({ exitCode: 0 });
});

it('a worker with --set-up that waits for a server ends with 0 on SIGTERM', async () => {
  const away = { ...settings, NEO4J_URI: 'bolt://127.0.0.1:1' };
  const worker = await startWorkerProcess(away, undefined, ['--set-up']);
  await waitUntil(async () => worker.stderrSoFar().includes('waiting for the set-up') || undefined, {
    timeoutSeconds: 60,
    pollMillis: 50,
    what: 'the worker to wait',
  });
  expect(await worker.terminate()).toMatchObject({ exitCode: 0 });
});

it('--set-up --once needs no other command, and leaves nothing to set up', async () => {
  expect(await startOutgraphProcess(['worker', '--set-up', '--once'], settings).ended).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
});

it('a worker with --set-up and the graph of another outbox ends with 1, and says what to do', async () => {
  await setUpOnce(readSettings(setUpSettings, settings), catalog);
  const other = { ...settings, MONGODB_DATABASE: `${settings.MONGODB_DATABASE}_other` };
  const run = await startOutgraphProcess(['worker', '--set-up', '--port', '0'], other).ended;
  await client.db(other.MONGODB_DATABASE).dropDatabase();
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(/^The graph belongs to the outbox .*set-up --adopt\.\n$/);
});
