/**
 * The quick start of the README, with the packages that `npm pack` creates and the files that it
 * shows.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../tools/local/paths.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { connectGraph } from '../support/connect-graph.ts';
import { installExample, packPackages } from '../support/packed-package.ts';
import { servers } from '../support/servers.ts';
import { type OwnNeo4j, takeNeo4j } from '../support/take-neo4j.ts';

const run = promisify(execFile);
const packMillis = 240_000;

let folder: string;
let service: string;
let neo4j: OwnNeo4j;
const database = `outgraph_quickstart_${randomBytes(6).toString('hex')}`;
const env = { PATH: process.env.PATH };
let worker: ChildProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-quickstart-'));
  service = await installExample(await packPackages(folder), 'quickstart', folder);
  neo4j = await takeNeo4j();
  const settings = { MONGODB_URI: servers.mongodbUri, MONGODB_DATABASE: database, NEO4J_URI: neo4j.uri };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path.join(service, '.env'), lines.join(''));
}, packMillis);
afterAll(async () => {
  if (worker !== undefined && worker.exitCode === null) {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  const client = new MongoClient(servers.mongodbUri);
  await client.db(database).dropDatabase();
  await client.close();
  await neo4j.release();
  await rm(folder, { recursive: true, force: true });
});

const outgraph = (...args: readonly string[]) => [path.join('node_modules/outgraph/bin/outgraph.mjs'), ...args];
const node = (args: readonly string[]) => run(process.execPath, [...args], { cwd: service, env });

it.each(['README.md', 'docs/quickstart.md'])('%s shows the first file of a service', async (name) => {
  const page = await readFile(path.join(projectRoot, name), 'utf8');
  const catalog = await readFile(path.join(projectRoot, 'examples/quickstart/catalog.js'), 'utf8');
  expect(page).toContain(`\`\`\`js\n${catalog.slice(catalog.indexOf('\n') + 1)}\`\`\``);
});

it('the quick start shows the config file', async () => {
  const page = await readFile(path.join(projectRoot, 'docs/quickstart.md'), 'utf8');
  const config = await readFile(path.join(projectRoot, 'examples/quickstart/outgraph.config.js'), 'utf8');
  expect(page).toContain(`\`\`\`js\n${config.slice(config.indexOf('\n') + 1)}\`\`\``);
});

it('after a start of the worker with --set-up, and a write, the graph matches the document', async () => {
  worker = spawn(process.execPath, outgraph('worker', '--set-up', '--port', '0'), { cwd: service, env });
  let printed = '';
  worker.stdout?.on('data', (text) => {
    printed += text;
  });
  await waitUntil(async () => printed.includes('worker started') || undefined, {
    timeoutSeconds: 60,
    pollMillis: 50,
    what: 'the worker to start',
  });
  await node(['--env-file=.env', 'write.js']);
  const driver = connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  const cities = async () => {
    const { records } = await driver.executeQuery(
      "MATCH (p:Person {id: 'ada'})-[:LIVES_IN]->(c:City) RETURN p.name AS person, c.name AS city",
    );
    return records.map((record) => record.toObject());
  };
  await waitUntil(async () => (await cities()).some(({ city }) => city === 'Turin') || undefined, {
    timeoutSeconds: 60,
    pollMillis: 100,
    what: 'the graph to have Ada in Turin',
  });
  expect(await cities()).toStrictEqual([{ person: 'Ada', city: 'Turin' }]);
  await driver.close();
  const { stdout } = await node(outgraph('show', 'person', 'ada'));
  expect(stdout).toMatch(/The graph matches the document/);
});
