/**
 * Services with the packed packages and one Mongoose of each major version that `peerDependencies`
 * allows. Their tests are in `mongoose-service/`.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { dismissWatchdog } from '../../tools/local/children.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../tools/local/restartable-mongodb.ts';
import { installPackages, type Packages, packPackages } from '../support/packed-package.ts';

const run = promisify(execFile);

/** Each range, with where the project has that Mongoose, its driver and the driver's BSON library. */
const versions = [
  [
    '^8.24.10',
    { mongoose: 'mongoose-8', mongodb: 'mongoose-8/node_modules/mongodb', bson: 'mongoose-8/node_modules/bson' },
  ],
  ['^9.12.2', { mongoose: 'mongoose-9', mongodb: 'mongoose-9/node_modules/mongodb', bson: 'bson' }],
] as const;

let folder: string;
let packages: Packages;
let mongodb: RestartableReplicaSet;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-mongoose-'));
  packages = await packPackages(folder);
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1 });
});
afterAll(async () => {
  await mongodb?.stop();
  dismissWatchdog();
  await rm(folder, { recursive: true, force: true });
});

it('is tested with the oldest version of each range that peerDependencies allows', async () => {
  const { peerDependencies } = await readJson('writers/typescript/package.json');
  expect(peerDependencies?.mongoose).toBe(versions.map(([range]) => range).join(' || '));
  for (const [range, { mongoose }] of versions)
    expect(`^${(await readJson(`node_modules/${mongoose}/package.json`)).version}`).toBe(range);
});

it.each(versions)('with Mongoose %s, a strict service type-checks and its tests pass', async (range, links) => {
  const service = await createService(range, links);
  const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
  const checked = await run(process.execPath, [compiler, '-p', service]).catch((error) => error);
  expect(checked.stdout).toBe('');

  await withDatabase(links.mongoose, (db) => setUpOutbox(db, { processedRetentionSeconds: 3600 }));
  const env = { ...process.env, MONGODB_URI: mongodb.uri, MONGODB_DATABASE: links.mongoose };
  const args = ['--test', '--test-reporter=tap', 'models.test.ts', 'verbs.test.ts'];
  const { stdout, code } = await run(process.execPath, args, { cwd: service, env }).catch((error) => error);
  expect(code, stdout).toBeUndefined();
  expect(stdout).toMatch(/^# pass [1-9]/m);

  const events = await withDatabase(links.mongoose, async (db) => {
    await db.collection('outbox').deleteMany({});
    await run(process.execPath, ['guide.ts'], { cwd: service, env });
    return db.collection('outbox').find().sort({ position: 1 }).toArray();
  });
  const facts = events.map(({ operation, payload }) => payload?.name ?? operation);
  expect(facts).toStrictEqual(['Ada', 'Ada Lovelace', 'Bob', 'delete']);
});

it('a service with two copies of the driver learns at its first model how to install one', async () => {
  const service = await createService('two-drivers', { ...versions[1][1], mongodb: 'mongodb' });
  const code = `
    import mongoose from 'mongoose';
    import { trackModel } from 'outgraph-writer';
    import { person } from './support.ts';
    const schema = new mongoose.Schema({ name: String });
    schema.plugin(trackModel(person));
    mongoose.model('Person', schema, 'people');
  `;
  await writeFile(path.join(service, 'program.ts'), code);
  const { stderr } = await run(process.execPath, ['program.ts'], { cwd: service }).catch((error) => error);
  expect(stderr).toMatch(/two copies of the MongoDB driver.*npm install mongodb@/);
});

async function withDatabase<Result>(name: string, work: (db: Db) => Promise<Result>): Promise<Result> {
  const client = new MongoClient(mongodb.uri);
  try {
    return await work(client.db(name));
  } finally {
    await client.close();
  }
}

/** Its `guide.ts` is the program of the guide. */
async function createService(name: string, links: Readonly<Record<string, string>>): Promise<string> {
  const service = path.join(folder, name.replace('^', 'mongoose-'));
  await mkdir(service);
  await cp(path.join(projectRoot, 'test/package/mongoose-service'), service, { recursive: true });
  const guide = await readFile(path.join(projectRoot, 'docs/how-to/use-mongoose.md'), 'utf8');
  await writeFile(path.join(service, 'guide.ts'), /^```ts\n(.*?)^```/ms.exec(guide)?.[1] ?? '');
  const manifest = { type: 'module', dependencies: { outgraph: '*' }, devDependencies: { '@types/node': '*' } };
  await writeFile(path.join(service, 'package.json'), JSON.stringify(manifest));
  await installPackages(packages, service, links);
  return service;
}

async function readJson(file: string) {
  return JSON.parse(await readFile(path.join(projectRoot, file), 'utf8')) as {
    readonly version: string;
    readonly peerDependencies?: Readonly<Record<string, string>>;
  };
}
