/** A worker that cannot start prints one sentence and exits. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, vi } from 'vitest';
import { freePort } from '../../../tools/local/free-port.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import { it, settingsOf } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

it('a worker without the set-up of MongoDB exits with one sentence', async ({ site: { database, graph } }) => {
  const settings = { ...settingsOf(database, graph), MONGODB_DATABASE: `${database.db.databaseName}_none` };
  const run = await startOutgraphProcess(['worker', '--port', '0'], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(/^The database \S+ has no collection outbox\. Set MONGODB_DATABASE .*\n$/);
});

it('a worker without the set-up of Neo4j, or with an unknown database, exits with one sentence', async ({
  site: { database, graph },
}) => {
  const settings = settingsOf(database, graph);
  const none = { ...settings, NEO4J_DATABASE: 'nowhere' };
  const wrong = await startOutgraphProcess(['worker', '--port', '0'], none).ended;
  expect(wrong).toMatchObject({ exitCode: 1, stdout: '' });
  expect(wrong.stderr).toMatch(/^Neo4j at \S+ has no database with the name in NEO4J_DATABASE.*\n$/);
  const constraint =
    'SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE "OutgraphAggregate" IN labelsOrTypes RETURN name';
  const { records } = await graph.driver.executeQuery(constraint);
  await graph.driver.executeQuery(`DROP CONSTRAINT ${records[0]?.get('name')}`);
  const run = await startOutgraphProcess(['worker', '--port', '0'], settings).ended;
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(/^The graph has no constraint .*set-up.*\n$/);
  await startOutgraphProcess(['set-up'], settings).ended;
});

it('a worker whose port is in use exits with one sentence', async ({ site: { database, graph } }) => {
  const other = createServer().listen(0);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const run = await startOutgraphProcess(['worker', '--port', String(port)], settingsOf(database, graph)).ended;
  other.close();
  expect(run).toMatchObject({ exitCode: 3, stdout: '' });
  expect(run.stderr).toMatch(/^Port \d+ is in use by another process: choose another .*\n$/);
});

it('a worker answers only on the address that it is given', async ({ site: { database, graph } }) => {
  const port = String(await freePort());
  let printed = '';
  const args = ['worker', '--bind', '127.0.0.1', '--port', port];
  const worker = startOutgraphProcess(args, settingsOf(database, graph), (text) => {
    printed += text;
  });
  await waitUntil(async () => printed.includes('worker started') || undefined, {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'the worker to start',
  });
  expect(await (await fetch(`http://127.0.0.1:${port}/livez`)).json()).toStrictEqual({ live: true });
  await expect(fetch(`http://127.0.0.2:${port}/livez`)).rejects.toThrow();
  await worker.interrupt();
});

it('a worker with an address of another machine exits with one sentence', async ({ site: { database, graph } }) => {
  const args = ['worker', '--bind', '203.0.113.1'];
  expect(await startOutgraphProcess(args, settingsOf(database, graph)).ended).toMatchObject({
    exitCode: 3,
    stdout: '',
    stderr: 'This machine has no address 203.0.113.1 to listen on.\n',
  });
});
