/** Settings with which a worker can never work: it ends with one sentence that says what to do. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import { it, settingsOf } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const web = createServer((_, response) => response.end('a page')).listen(0, '127.0.0.1');
await once(web, 'listening');
afterAll(() => web.close());
const webPort = (web.address() as AddressInfo).port;

type Settings = Readonly<Record<string, string>>;

it.for<[string, (given: { mongodb: string; neo4j: string }) => Settings, RegExp]>([
  [
    'an unknown user of MongoDB',
    ({ mongodb }) => ({ MONGODB_URI: mongodb.replace('://', '://eve:s3cret@') }),
    /^MongoDB refuses the user or its password .*Check that MONGODB_URI names an existing user/,
  ],
  [
    'an option that MongoDB does not have',
    ({ mongodb }) => ({ MONGODB_URI: `${mongodb}&retryWirtes=s3cret` }),
    /^MONGODB_URI: the driver does not accept it: it does not know retrywirtes\. Correct its options/,
  ],
  [
    'an option with a value that MongoDB does not have',
    ({ mongodb }) => ({ MONGODB_URI: `${mongodb}&authMechanism=s3cret` }),
    /^MONGODB_URI: the driver does not accept it\. Correct its options/,
  ],
  [
    'the name of another replica set',
    ({ mongodb }) => ({ MONGODB_URI: `mongodb://${new URL(mongodb).host}/?replicaSet=other` }),
    /^MongoDB .*no reachable server belongs to the configured replica set\. Check replicaSet in MONGODB_URI/,
  ],
  [
    'Neo4j at the port of a web server',
    () => ({ NEO4J_URI: `bolt://127.0.0.1:${webPort}` }),
    /^Neo4j at .* a web server answers there\. Check the port in NEO4J_URI/,
  ],
  [
    'a routing address at the port of a web server',
    () => ({ NEO4J_URI: `neo4j://127.0.0.1:${webPort}` }),
    /^Neo4j at .* a web server answers there\. Check the port in NEO4J_URI/,
  ],
  [
    'TLS to a server without',
    () => ({ NEO4J_URI: `bolt+s://localhost:${webPort}` }),
    /^Neo4j at .* the server does not speak TLS, and NEO4J_URI asks for it/,
  ],
  [
    'a parameter after the address of Neo4j',
    ({ neo4j }) => ({ NEO4J_URI: `${neo4j}/?database=s3cret` }),
    /^NEO4J_URI: the driver does not accept it.*leave out what is after "\?"/,
  ],
  [
    'a database that Neo4j cannot have',
    () => ({ NEO4J_DATABASE: 'a b/' }),
    /no database with the name in NEO4J_DATABASE/,
  ],
])('a worker with %s ends with 1, and says what to do', async ([, change, reason], { site: { database, graph } }) => {
  const given = settingsOf(database, graph);
  const { MONGODB_URI: mongodb = '', NEO4J_URI: neo4j = '' } = given;
  const started = startOutgraphProcess(['worker', '--port', '0'], { ...given, ...change({ mongodb, neo4j }) });
  const { exitCode, stdout, stderr } = await started.ended;
  expect({ exitCode, stdout }).toStrictEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(reason);
  // One sentence or two, and no stack trace.
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('s3cret');
});

const file = (name: string, text: string) => {
  const created = path.join(tmpdir(), `outgraph-${process.pid}-${name}`);
  writeFileSync(created, text);
  return created;
};

it.for<[string, Settings, RegExp]>([
  [
    'a password that is not encoded',
    { MONGODB_URI: 'mongodb://eve:s3/cr@et@127.0.0.1:1' },
    /MONGODB_URI: must have a host, and its user and password percent-encoded: %40 for @/,
  ],
  ['a database with a dot', { MONGODB_DATABASE: 'a.b' }, /MONGODB_DATABASE: must have 1 to 63 characters, without/],
  ['a database with a blank', { MONGODB_DATABASE: 'a b' }, /MONGODB_DATABASE: must have 1 to 63 characters, without/],
  ['a number that is none', { WORKER_CONSUMERS: 'two' }, /WORKER_CONSUMERS: .*number/],
  ['no catalog', { OUTGRAPH_CATALOG: 'none.js' }, /^none\.js cannot be loaded: Cannot find module/],
  ['a folder as its catalog', { OUTGRAPH_CATALOG: tmpdir() }, /cannot be loaded: Directory import/],
  ['a catalog with an error', { OUTGRAPH_CATALOG: file('error.mjs', 'export const {') }, /cannot be loaded: /],
  [
    'a module without a catalog',
    { OUTGRAPH_CATALOG: file('none.mjs', 'export const catalogue = [];') },
    /has no export "catalog" made by createCatalog\.$/,
  ],
])('a worker with %s is wrong use: it ends with 2, and says what to do', async ([, change, reason]) => {
  const given = { MONGODB_URI: 'mongodb://127.0.0.1:1', NEO4J_URI: 'bolt://127.0.0.1:1' };
  const { exitCode, stdout, stderr } = await startOutgraphProcess(['worker'], { ...given, ...change }).ended;
  expect({ exitCode, stdout }).toStrictEqual({ exitCode: 2, stdout: '' });
  expect(stderr.trimEnd()).toMatch(reason);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).not.toContain('s3cret');
});
