/**
 * The package that `npm pack` creates, as another team's service sees it: what it contains, and
 * what its entry points export, type-check as and weigh.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageOf } from '../../tools/bundle-functions.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import {
  installExample,
  installPackages,
  type Packages,
  packPackages,
  type Tarball,
} from '../support/packed-package.ts';

const run = promisify(execFile);

/**
 * The code of a service that declares an aggregate, writes it, and has its own functions and
 * worker.
 */
const serviceCode = `
import { MongoClient } from 'mongodb';
import { createCatalog, defineAggregate, documentId, Fault, graph, type ProjectedSubgraph } from 'outgraph';
import {
  createConsumerHandler, createPublisherHandler, createSetUpHandler, createSweepHandler
} from 'outgraph/handlers';
import {
  readSettings, setUpOnce, setUpSettings, startWorker, type Worker, type WorkerLog, workerSettings
} from 'outgraph/worker';
import { recordEvent, trackCollection } from 'outgraph/writer';
import { memoryEvent } from 'outgraph/xmem';
import { z } from 'zod';

interface PersonDocument { _id: string; name: string }
const payload = z.object({ name: z.string() });
export const person = defineAggregate({
  type: 'person',
  collection: 'people',
  id: documentId,
  payload,
  project: (state, aggregateId): ProjectedSubgraph => ({
    nodes: [{ label: 'Person', key: { person_id: aggregateId }, properties: { name: state.name.toUpperCase() } }],
    relationships: [],
  }),
});
// @ts-expect-error The state is what the payload's schema says.
export const invalid = defineAggregate({ ...person, payload, project: (state) => state.age });

const catalog = createCatalog([person, graph, memoryEvent]);
export const consumer = createConsumerHandler(catalog);
export const setUp = createSetUpHandler(catalog);
export const handlers = [createPublisherHandler(), createSweepHandler()];

export async function write(client: MongoClient): Promise<string | null> {
  const people = trackCollection<{ name: string }, PersonDocument>(client, client.db('x'), person);
  await people.updateOne({ _id: 'ada' }, { $set: { name: 'Ada' } }, { upsert: true });
  try {
    await client.withSession((session) =>
      session.withTransaction(() =>
        recordEvent(session, client.db('x'), person, { operation: 'delete', aggregateId: 'ada' }),
      ),
    );
  } catch (error) {
    if (error instanceof Fault && error.code === 'write-concern') return error.message;
  }
  return (await people.findOne({ _id: 'ada' }))?.name ?? null;
}

export async function work(log: WorkerLog): Promise<Worker> {
  await setUpOnce(readSettings(setUpSettings, process.env), catalog);
  return startWorker(readSettings(workerSettings, process.env), catalog, log);
}
`;

/** The module that the command's `--catalog` loads. */
const catalogCode = `
import { type AggregateCatalog, createCatalog, graph } from 'outgraph';

export const catalog: AggregateCatalog = createCatalog([{ ...graph, type: 'own-graph' }]);
`;

let folder: string;
let service: string;
let packages: Packages;
let tarball: Tarball;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-package-'));
  packages = await packPackages(folder);
  tarball = packages.server;
  service = path.join(folder, 'service');
  await mkdir(service);
  const manifest = { type: 'module', dependencies: { outgraph: '*' }, devDependencies: { '@types/node': '*' } };
  await writeFile(path.join(service, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(service, 'service.ts'), serviceCode);
  await writeFile(path.join(service, 'catalog.ts'), catalogCode);
  await installPackages(packages, service);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('contains what a service needs, and neither sources nor tests', () => {
    const needed = ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs/reference/contract.md', 'bin/outgraph.mjs'];
    const included = ['infra/messaging.yml', 'infra/ingress/poller.yml', 'schema/outbox.schema.json'];
    expect(tarball.names).toEqual(
      expect.arrayContaining([
        ...needed,
        ...included,
        'dist/exports/writer.js',
        'examples/quickstart/write.js',
        'examples/quickstart/outgraph.config.js',
        'infra/permissions/neo4j-roles.cypher',
        'infra/permissions/deploy-policy.json',
        'deploy/kubernetes/worker.yaml',
        'deploy/systemd/outgraph-worker.service',
        'infra/prometheus/alerts.yml',
        'infra/prometheus/dashboard.json',
      ]),
    );
    const sources = tarball.names.filter((name) => /(?<!\.d)\.ts$/.test(name) && !name.startsWith('examples/'));
    expect(sources).toStrictEqual([]);
    expect(tarball.names.filter((name) => /^(test|bench|node_modules|\.(?!env\.example))/.test(name))).toStrictEqual(
      [],
    );
  });

  it('passes the strict checks of publint', async () => {
    const data = await readFile(tarball.file);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(data).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toStrictEqual([]);
  });

  it('has types that resolve for everyone who can import it, according to attw', async () => {
    const attw = path.join(projectRoot, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const args = [attw, tarball.file, '--profile', 'esm-only', '--format', 'json'];
    const { stdout } = await run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
    const { analysis, problems = {} } = JSON.parse(stdout);
    // Its JSON also lists what the profile ignores: resolution without exports, and require().
    const ignoredResolutions = ['node10', 'node16-cjs'];
    const found = Object.values<readonly { readonly resolutionKind?: string }[]>(problems).flat();
    expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './writer', './handlers']));
    expect(found.filter(({ resolutionKind = '' }) => !ignoredResolutions.includes(resolutionKind))).toStrictEqual([]);
  });

  it("contains the console's compiled page, and finds the libraries that the console serves", async () => {
    const assets = path.join(service, 'node_modules/outgraph/dist/console/server/assets.js');
    const script = `const { readAssets, renderPage } = await import(${JSON.stringify(assets)});
      const assets = readAssets();
      console.log(JSON.stringify({ names: [...assets.keys()], html: renderPage(assets).html }));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: service });
    const { names, html } = JSON.parse(stdout) as { readonly names: readonly string[]; readonly html: string };
    const libraries = ['preact.mjs', 'preact-hooks.mjs', 'uplot.mjs', 'uplot.css'];
    expect(names).toEqual(expect.arrayContaining([...libraries, 'page/main.js', 'page/page.css']));
    expect(names.filter((name) => name.endsWith('.ts') || name.endsWith('.json'))).toStrictEqual([]);
    for (const [, name = ''] of html.matchAll(/(?:src|href)="([^":]+)"/g)) expect(names).toContain(name);
  });

  it('can run its command from node_modules', async () => {
    const { stdout } = await outgraph('--help');
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)[ |]/gm)].map(([, name]) => name);
    const look = ['status', 'console', 'doctor', 'show', 'tail'];
    const repair = ['verify', 'dead', 'redrive', 'backfill', 'forget', 'remove-source'];
    expect(commands).toStrictEqual([...look, ...repair, 'set-up', 'worker', 'help']);
  });

  it('reports in one sentence that its command needs Node 22, if it is run by Node 20', async () => {
    const versions = '{ value: { ...process.versions, node: "20.19.0" } }';
    const old = `data:text/javascript,Object.defineProperty(process, "versions", ${versions})`;
    const command = path.join(service, 'node_modules/outgraph/bin/outgraph.mjs');
    await expect(run(process.execPath, ['--import', old, command, 'doctor'])).rejects.toMatchObject({
      code: 2,
      stderr: 'outgraph needs Node 22 or newer, and this is Node 20.19.0: install a newer Node.\n',
    });
  });
});

it('prints the commands of the Atlas CLI that create the roles of a service', async () => {
  const script = path.join(service, 'node_modules/outgraph/dist/infra/permissions/apply-mongodb-roles.js');
  const { stdout } = await run(process.execPath, [script, '--writes', 'people', '--atlas'], { cwd: service });
  expect(stdout).toContain('atlas customDbRoles create');
});

/** Runs the command in the service's folder, as `npx outgraph` does. */
const outgraph = (...args: readonly string[]) =>
  run(process.execPath, [path.join(service, 'node_modules/outgraph/bin/outgraph.mjs'), ...args], { cwd: service });

describe('a service that imports it', () => {
  it('passes its catalog to the command, which says what is wrong with it', async () => {
    const types = 'no aggregate type "graph" with documents; choose from own-graph\n';
    await expect(outgraph('backfill', 'graph', '--catalog', 'catalog.ts')).rejects.toThrow(types);
    const absent = outgraph('backfill', 'graph', '--catalog', 'absent.ts');
    await expect(absent).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('absent.ts cannot be loaded'),
    });
    const none = outgraph('backfill', 'graph', '--catalog', 'node_modules/outgraph/dist/exports/writer.js');
    await expect(none).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('no export "catalog"') });
  });

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])("type-checks with the package's declarations: module %s, resolution %s", async (module, moduleResolution) => {
    const config = path.join(service, `tsconfig.${module}.json`);
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2024',
      lib: ['es2024'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['service.ts'] }));
    const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', config]).catch((error) => error);
    expect(stdout).toBe('');
  });

  it('can be the example, which type-checks with only the dependencies in its package.json', async () => {
    const example = await installExample(packages, 'bookshop', folder);
    const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', example]).catch((error) => error);
    expect(stdout).toBe('');
    const tested = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: example });
    expect(tested.stdout).toContain('# pass 1\n# fail 0');
  });

  it('finds the test of the example in the guide', async () => {
    const code = await readFile(path.join(projectRoot, 'examples/bookshop/aggregates/order.test.ts'), 'utf8');
    const guide = await readFile(path.join(projectRoot, 'docs/how-to/test-your-projections.md'), 'utf8');
    expect(guide).toContain(code);
  });

  it.each([
    [
      'outgraph',
      [
        'Fault',
        'createCatalog',
        'defineAggregate',
        'defineConfig',
        'documentId',
        'endpoint',
        'graph',
        'relationship',
        'storedNumber',
      ],
    ],
    [
      'outgraph/writer',
      [
        'TrackedCollection',
        'UnfinishedWrite',
        'contractVersion',
        'recordEvent',
        'recordEvents',
        'settled',
        'trackCollection',
        'trackModel',
      ],
    ],
    [
      'outgraph/handlers',
      ['createConsumerHandler', 'createPublisherHandler', 'createSetUpHandler', 'createSweepHandler'],
    ],
    [
      'outgraph/worker',
      ['answerProbes', 'readSettings', 'setUpOnce', 'setUpSettings', 'startWorker', 'workerLog', 'workerSettings'],
    ],
    ['outgraph/testing', ['diffSubgraph', 'expectSubgraph', 'graphOfDocuments', 'projectDocument', 'startOutgraph']],
    ['outgraph/xmem', ['codeAnnotation', 'codeFile', 'codeRepository', 'memoryEvent', 'memoryUser']],
  ])('imports exactly these names from %s', async (entry, names) => {
    const script = `console.log(JSON.stringify(Object.keys(await import('${entry}')).sort()))`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: service });
    expect(JSON.parse(stdout)).toStrictEqual(names);
  });

  it("bundles with the writer MongoDB's driver, but no Neo4j driver, AWS SDK or built-in aggregate", async () => {
    const { packages, files } = await bundle("import { trackCollection } from 'outgraph/writer'; trackCollection();");
    expect(packages.sort()).toStrictEqual(['@opentelemetry/api', 'mongodb', 'outgraph-writer']);
    expect(files.filter((name) => /memory-|code-/.test(name))).toStrictEqual([]);
  });

  it('bundles with a definition nothing but schemas', async () => {
    const { packages } = await bundle("import { defineAggregate } from 'outgraph'; defineAggregate();");
    expect(packages.filter((name) => name !== 'zod')).toStrictEqual(['outgraph-writer']);
  });
});

/** The content of a bundle: packages, and the files of ours. */
async function bundle(contents: string): Promise<{ readonly packages: string[]; readonly files: string[] }> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: service },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    // The driver's optional dependencies do not matter here.
    external: ['mongodb'],
    logLevel: 'silent',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const kept = inputs
    .filter(([name, { bytesInOutput }]) => bytesInOutput > 0 && name !== '<stdin>')
    .map(([name]) => name);
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path: name }) => name));
  const packages = [...new Set([...kept.map(packageOf), ...outside.filter((name) => name === 'mongodb')])];
  return { packages, files: kept.filter((name) => packageOf(name).startsWith('outgraph')) };
}
