/**
 * The packages as npm installs them: how small a service that only writes can be, and that its
 * program works there.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { MongoClient } from 'mongodb';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUpOutbox } from '../../lib/set-up/mongodb-outbox.ts';
import { dismissWatchdog } from '../../tools/local/children.ts';
import { installMongod } from '../../tools/local/mongod.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../tools/local/restartable-mongodb.ts';
import { type Packages, packPackages } from '../support/packed-package.ts';

const run = promisify(execFile);
const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
const megabyte = 1024 * 1024;

/** Writes with a schema of its own, so that the service installs nothing but the writer and the driver. */
const programCode = `
import { MongoClient } from 'mongodb';
import { contractVersion, defineAggregate, documentId, Fault, recordEvent, trackCollection } from 'outgraph-writer';

const person = defineAggregate<{ name: string }>({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload: {
    '~standard': {
      version: 1,
      vendor: 'service',
      validate: (value) => {
        const { name } = value as { readonly name?: unknown };
        if (typeof name === 'string') return { value: { name } };
        return { issues: [{ message: 'must be a text', path: ['name'] }] };
      },
    },
  },
  project: ({ name }, id) => ({ nodes: [{ label: 'Person', key: { id }, properties: { name } }], relationships: [] }),
});
// @ts-expect-error The state is what the payload's schema says.
export const invalid = defineAggregate<{ name: string }>({ ...person, project: (state) => state.age });

const client = new MongoClient(process.env.MONGODB_URI ?? '');
const db = client.db(process.env.MONGODB_DATABASE);
const people = trackCollection<{ name: string }, { _id: string; name: string }>(client, db, person);
await people.insertOne({ _id: 'ada', name: 'Ada' });
const refusal = await people
  .insertOne({ _id: 'bob', name: 7 as unknown as string })
  .catch((error: unknown) => (error instanceof Fault ? error.code : error));
await client.withSession((session) =>
  session.withTransaction(async () => {
    await db.collection<{ _id: string }>('people').deleteOne({ _id: 'ada' }, { session });
    await recordEvent(session, db, person, { operation: 'delete', aggregateId: 'ada' });
  }),
);
await client.close();
console.log(JSON.stringify({ contractVersion, refusal }));
`;

/** The same with zod's schemas. */
const zodCode = `
import { Double } from 'mongodb';
import { defineAggregate, documentId } from 'outgraph-writer';
import { storedNumber } from 'outgraph-writer/zod';
import { z } from 'zod';

export const person = defineAggregate({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload: z.object({ name: z.string(), height: storedNumber }),
  project: ({ name, height }, id) => ({
    nodes: [{ label: 'Person', key: { id }, properties: { name: name.trim(), height } }],
    relationships: [],
  }),
});
const read = await person.payload['~standard'].validate({ name: 'Ada', height: new Double(1.7) });
console.log(JSON.stringify(read));
`;

let folder: string;
let packages: Packages;
let mongodb: RestartableReplicaSet;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-writer-'));
  packages = await packPackages(folder);
  const binary = await installMongod(printStep, new AbortController().signal);
  mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1 });
});
afterAll(async () => {
  await mongodb?.stop();
  dismissWatchdog();
  await rm(folder, { recursive: true, force: true });
});

describe('the packed writer', () => {
  it('contains its declarations and its licence, and no sources', () => {
    const { names } = packages.writer;
    expect(names).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/lib/writer/record-event.d.ts']));
    expect(names.filter((name) => /(?<!\.d)\.ts$/.test(name))).toStrictEqual([]);
  });

  it('passes the strict checks of publint, and attw finds its types', async () => {
    const data = await readFile(packages.writer.file);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(data).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toStrictEqual([]);
    const attw = path.join(projectRoot, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    await run(process.execPath, [attw, packages.writer.file, '--profile', 'esm-only']);
  });

  it('has no module that the server has too', () => {
    const { server, writer } = packages;
    const compiled = writer.names.filter((name) => name.startsWith('dist/'));
    expect(compiled.filter((name) => server.names.includes(name))).toStrictEqual([]);
  });

  it.each(['server', 'writer'] as const)('can be published with npm, and so can the server: %s', async (name) => {
    const args = ['publish', '--dry-run', '--json', '--access', 'public', packages[name].file];
    const { stdout } = await run('npm', args, { cwd: folder });
    const wanted = { server: 'outgraph', writer: 'outgraph-writer' }[name];
    expect(stdout).toContain(`"id": "${wanted}@${await versionOf(projectRoot)}"`);
  });
});

describe.each(['mongodb', 'mongodb-6'])("a service with only the writer and the project's %s", (driver) => {
  let service: string;
  let wanted: string;
  beforeAll(async () => {
    service = path.join(folder, `service-${driver}`);
    wanted = `mongodb@${await versionOf(path.join(projectRoot, 'node_modules', driver))}`;
    await install(service, packages.writer.file, wanted);
  });

  it('has below 20 MB, and below 1 MB without the driver', async () => {
    const alone = path.join(folder, `${driver}-alone`);
    await install(alone, wanted);
    const [both, driverOnly] = [await bytesOf(service), await bytesOf(alone)];
    expect(both).toBeLessThan(20 * megabyte);
    expect(both - driverOnly).toBeLessThan(megabyte);
  });

  it("has one BSON library, the driver's, and no package that only others need", async () => {
    const names = await readdir(path.join(service, 'node_modules'), { recursive: true });
    expect(names.filter((name) => /(?:^|node_modules\/)bson$/.test(name))).toStrictEqual(['bson']);
    const unneeded = ['zod', '@opentelemetry', '@aws-sdk', 'neo4j-driver', 'outgraph'];
    expect(unneeded.filter((name) => names.includes(name))).toStrictEqual([]);
  });

  it('is bundled for Lambda without a warning, though it has no OpenTelemetry', async () => {
    const contents = "import { trackCollection } from 'outgraph-writer'; trackCollection();";
    const options = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent' } as const;
    const { warnings } = await build({ stdin: { contents, resolveDir: service }, external: ['mongodb'], ...options });
    expect(warnings).toStrictEqual([]);
  });

  it('type-checks, and its program writes documents with their events', async () => {
    await useTypesOfNode(service);
    await writeFile(path.join(service, 'program.ts'), programCode);
    expect(await typeCheck(service, 'program.ts')).toBe('');

    const client = new MongoClient(mongodb.uri);
    try {
      const db = client.db(driver);
      await setUpOutbox(db, { processedRetentionSeconds: 3600 });
      const env = { ...process.env, MONGODB_URI: mongodb.uri, MONGODB_DATABASE: driver };
      const { stdout } = await run(process.execPath, ['program.ts'], { cwd: service, env });
      expect(JSON.parse(stdout)).toStrictEqual({ contractVersion: 1, refusal: 'payload-invalid' });
      expect(await db.collection('people').countDocuments()).toBe(0);
      const events = await db.collection('outbox').find().sort({ position: 1 }).toArray();
      const facts = events.map(({ operation, aggregateId, payload }) => ({ operation, aggregateId, payload }));
      expect(facts).toStrictEqual([
        { operation: 'upsert', aggregateId: 'ada', payload: { _id: 'ada', name: 'Ada' } },
        { operation: 'delete', aggregateId: 'ada', payload: undefined },
      ]);
    } finally {
      await client.close();
    }
  });
});

it('a service with the writer can declare its payloads with zod', async () => {
  const service = path.join(folder, 'service-zod');
  await install(
    service,
    packages.writer.file,
    `mongodb@${await versionOf(path.join(projectRoot, 'node_modules/mongodb'))}`,
  );
  await symlink(path.join(projectRoot, 'node_modules/zod'), path.join(service, 'node_modules/zod'));
  await useTypesOfNode(service);
  await writeFile(path.join(service, 'zod.ts'), zodCode);
  expect(await typeCheck(service, 'zod.ts')).toBe('');
  const { stdout } = await run(process.execPath, ['zod.ts'], { cwd: service });
  expect(JSON.parse(stdout)).toStrictEqual({ value: { name: 'Ada', height: 1.7 } });
});

it('a service with both packages has one Fault, and one type of the definitions, whichever it imports', async () => {
  const service = path.join(folder, 'service-both');
  await install(service, packages.writer.file, packages.server.file);
  await useTypesOfNode(service);
  const code = `
    import * as server from 'outgraph';
    import * as tracked from 'outgraph/writer';
    import * as writer from 'outgraph-writer';
    export const definition: writer.AggregateDefinition<writer.ProjectedSubgraph> = server.graph;
    server.createCatalog([writer.defineAggregate({ ...server.graph, type: 'own' })]);
    const same = [server.Fault === writer.Fault, tracked.TrackedCollection === writer.TrackedCollection];
    console.log(JSON.stringify(same));
  `;
  await writeFile(path.join(service, 'both.ts'), code);
  expect(await typeCheck(service, 'both.ts')).toBe('');
  const { stdout } = await run(process.execPath, ['both.ts'], { cwd: service });
  expect(JSON.parse(stdout)).toStrictEqual([true, true]);
  const command = path.join(service, 'node_modules/outgraph/bin/outgraph.mjs');
  expect((await run(process.execPath, [command, '--version'], { cwd: service })).stdout).toContain(
    await versionOf(projectRoot),
  );
});

/** Makes the folder and installs into it with npm, from the registry. */
async function install(service: string, ...specs: readonly string[]): Promise<void> {
  await mkdir(service);
  await writeFile(path.join(service, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...specs];
  await run('npm', args, { cwd: service });
}

/** The space that a service's packages take on a disk. */
async function bytesOf(service: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', path.join(service, 'node_modules')]);
  return Number.parseInt(stdout, 10) * 1024;
}

/** What a service needs while it is developed. */
async function useTypesOfNode(service: string): Promise<void> {
  await mkdir(path.join(service, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types'])
    await symlink(path.join(projectRoot, 'node_modules', name), path.join(service, 'node_modules', name));
}

/** The compiler's output: empty if the file type-checks. */
async function typeCheck(service: string, file: string): Promise<string> {
  const options = { module: 'nodenext', target: 'es2024', types: ['node'], strict: true, noEmit: true };
  const config = path.join(service, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions: options, files: [file] }));
  const { stdout } = await run(process.execPath, [compiler, '-p', config]).catch((error) => error);
  return stdout;
}

async function versionOf(packageFolder: string): Promise<string> {
  return JSON.parse(await readFile(path.join(packageFolder, 'package.json'), 'utf8')).version;
}
