/**
 * The packed packages with the oldest driver of each major version that `peerDependencies` allows, so
 * that a service with an older Mongoose has one driver.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../tools/local/paths.ts';
import { installPackages, type Packages, packPackages } from '../support/packed-package.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const run = promisify(execFile);

const serviceCode = `
import { Long, MongoClient, ObjectId } from 'mongodb';
import { defineAggregate, documentId } from 'outgraph';
import { recordEvent, trackCollection } from 'outgraph/writer';
import { z } from 'zod';

interface Thing { _id: ObjectId; size: Long; name?: string }
const thing = defineAggregate({
  type: 'thing',
  collection: 'things',
  id: documentId,
  payload: z.object({ size: z.instanceof(Long), name: z.string().optional() }),
  project: (_, id) => ({ nodes: [{ label: 'Thing', key: { id } }], relationships: [] }),
});
const client = new MongoClient(process.env.MONGODB_URI ?? '');
const db = client.db(process.env.MONGODB_DATABASE);
const things = trackCollection<{ size: Long; name?: string | undefined }, Thing>(client, db, thing);
const _id = new ObjectId();
await things.insertOne({ _id, size: Long.fromNumber(7) });
await things.updateOne({ _id }, { $set: { name: 'b' } });
await client.withSession((session) =>
  session.withTransaction(() =>
    recordEvent(session, db, thing, { operation: 'delete', aggregateId: String(_id) }),
  ),
);
await client.close();
`;

let folder: string;
let packages: Packages;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-drivers-'));
  [packages, database] = await Promise.all([packPackages(folder), createTestDatabase()]);
});
afterAll(async () => {
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

/** The folders of the drivers in the project's `node_modules`, and of the BSON library of each. */
const drivers = [
  ['^6.20.0', 'mongodb-6', 'mongodb-6/node_modules/bson'],
  ['^7.8.0', 'mongodb-7', 'bson'],
] as const;

it('is tested with the oldest version of each range that peerDependencies allows', async () => {
  for (const folder of ['', 'writers/typescript']) {
    const { peerDependencies } = await readJson(path.join(projectRoot, folder, 'package.json'));
    expect(peerDependencies.mongodb).toBe(drivers.map(([range]) => range).join(' || '));
  }
  for (const [range, driver] of drivers)
    expect(`^${(await readJson(path.join(projectRoot, 'node_modules', driver, 'package.json'))).version}`).toBe(range);
});

it.each(drivers)('with mongodb %s, a service type-checks and its writes record events', async (_, driver, bson) => {
  const service = path.join(folder, driver);
  await mkdir(service);
  const manifest = { type: 'module', dependencies: { outgraph: '*' }, devDependencies: { '@types/node': '*' } };
  await writeFile(path.join(service, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(service, 'write.ts'), serviceCode);
  const compilerOptions = { module: 'nodenext', target: 'es2024', types: ['node'], strict: true, noEmit: true };
  await writeFile(path.join(service, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['write.ts'] }));
  await installPackages(packages, service, { mongodb: driver, bson });

  const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
  const checked = await run(process.execPath, [compiler, '-p', service]).catch((error) => error);
  expect(checked.stdout).toBe('');

  const outbox = database.db.collection('outbox');
  await outbox.deleteMany({});
  await run(process.execPath, ['write.ts'], { cwd: service, env: { ...process.env, ...database.settings } });
  const events = await outbox.find().sort({ position: 1 }).toArray();
  expect(events.map(({ operation, payload }) => [operation, payload?.name])).toStrictEqual([
    ['upsert', undefined],
    ['upsert', 'b'],
    ['delete', undefined],
  ]);
  expect(await outbox.countDocuments({ 'payload.size': { $type: 'long' } })).toBe(2);
});

async function readJson(file: string) {
  return JSON.parse(await readFile(file, 'utf8')) as {
    readonly version: string;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
}
