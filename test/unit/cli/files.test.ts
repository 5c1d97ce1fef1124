/** `.env` and `outgraph.config.ts`: what every command reads besides its environment. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { completeEnvironment, type FileOptions } from '../../../cli/terminal/complete-environment.ts';
import { loadCatalog } from '../../../cli/terminal/read-catalog.ts';
import { noFiles, type Shell } from '../../../cli/terminal/shell.ts';
import { type OutgraphRun, startOutgraph } from '../../support/run-outgraph.ts';

const root = path.join(import.meta.dirname, '../../..');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'outgraph-files-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

const run = (folder: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
  startOutgraph(args, { OUTGRAPH_CATALOG: '', ...settings }, undefined, folder).ended;

/** What a command then works with. */
async function complete(folder: string, given: Readonly<Record<string, string>> = {}, options: FileOptions = {}) {
  const output = new PassThrough();
  const shell: Shell = {
    environment: { ...given },
    directory: folder,
    files: noFiles(),
    stdout: output,
    stderr: output,
    ask: null,
    signal: new AbortController().signal,
  };
  await completeEnvironment(shell, options);
  const { catalog } = await loadCatalog(shell, {});
  return { ...shell, types: [...(catalog?.keys() ?? [])] };
}

const catalogText = (type: string) => `
import { createCatalog, defineAggregate, defineConfig } from '${path.join(root, 'exports/outgraph.ts')}';
import { z } from '${path.join(root, 'node_modules/zod/index.js')}';
const one = (type) => defineAggregate({
  type, collection: 'people', id: String, payload: z.object({}), project: () => ({ nodes: [], relationships: [] }),
});
export const catalog = createCatalog(['${type}', 'other'].map(one));
`;
const config = (body: string) => `${catalogText('person')}export default defineConfig(${body});\n`;

describe('.env', () => {
  it('completes the environment, which wins', async () => {
    const folder = folderWith({
      '.env': 'MONGODB_DATABASE=shop\nNEO4J_PASSWORD="a b"\n# NEO4J_URI=x\nNEO4J_DATABASE=g\n',
    });
    const { environment, files } = await complete(folder, { MONGODB_DATABASE: 'mine', NEO4J_DATABASE: '' });
    expect(environment).toStrictEqual({ MONGODB_DATABASE: 'mine', NEO4J_PASSWORD: 'a b', NEO4J_DATABASE: '' });
    expect(files.names).toStrictEqual(['.env']);
  });

  it('may have another name, and must then exist', async () => {
    const folder = folderWith({ 'stage.env': 'NEO4J_DATABASE=of-stage', '.env': 'NEO4J_DATABASE=usual' });
    const { environment } = await complete(folder, {}, { envFile: 'stage.env' });
    expect(environment).toStrictEqual({ NEO4J_DATABASE: 'of-stage' });
    expect(await run(folder, ['status', '--env-file', 'none.env'])).toStrictEqual({
      exitCode: 2,
      stdout: '',
      stderr: "none.env cannot be read (ENOENT). Correct --env-file, or the file's permissions.\n",
    } satisfies OutgraphRun);
  });

  it('is read by every command, before or after its name', async () => {
    const folder = folderWith({ 'stage.env': 'MONGODB_URI=http://u:s3cret@db' });
    const commands = ['status', 'set-up', 'worker', 'verify', 'tail', 'console'].map((name) => [name]);
    for (const command of [
      ...commands,
      ['show', 'graph', 'b'],
      ['redrive', '--all'],
      ['dead', 'list'],
      ['backfill', 'graph'],
    ]) {
      const ofCommand = await run(folder, [...command, '--env-file', 'stage.env']);
      expect(ofCommand).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/MONGODB_URI: must be a connection/),
      });
      expect(ofCommand.stderr).toMatch(/stage\.env sets MONGODB_URI\.\n$/);
      expect(ofCommand.stderr).not.toContain('s3cret');
    }
    expect((await run(folder, ['--env-file', 'stage.env', 'status'])).stderr).toContain('must be a connection string');
  });

  it('is named by the doctor, which reports what is wrong in it', async () => {
    const folder = folderWith({ '.env': 'MONGODB_URI=http://db\n', 'outgraph.config.mjs': 'export default {};' });
    const { stdout } = await run(folder, ['doctor']);
    expect(stdout).toMatch(/files +read \.env and outgraph\.config\.mjs$/m);
    expect(stdout).toMatch(/MONGODB_URI must be a connection string/);
  });
});

describe('the config file', () => {
  it.each([
    'outgraph.config.ts',
    'outgraph.config.mts',
    'outgraph.config.mjs',
    'outgraph.config.js',
  ])('%s gives the catalog and settings', async (name) => {
    const body = '{ catalog, settings: { MONGODB_DATABASE: "shop", WORKER_CONSUMERS: 4, OTEL_SDK_DISABLED: true } }';
    const folder = folderWith({ [name]: config(body), '.env': 'A=b', 'package.json': '{"type":"module"}' });
    const { environment, files, types } = await complete(folder);
    expect(environment).toStrictEqual({
      A: 'b',
      MONGODB_DATABASE: 'shop',
      WORKER_CONSUMERS: '4',
      OTEL_SDK_DISABLED: 'true',
    });
    expect(files.names).toStrictEqual(['.env', name]);
    expect(types).toStrictEqual(['person', 'other', 'outgraph-canary']);
  });

  it('may be elsewhere', async () => {
    const { types } = await complete(folderWith({ 'stage.ts': config('{ catalog }') }), {}, { config: 'stage.ts' });
    expect(types).toContain('person');
  });

  it('loses against .env, and against the environment', async () => {
    const settings =
      '{ NEO4J_DATABASE: "c", MONGODB_DATABASE: "c", NEO4J_USERNAME: "c", NEO4J_URI: process.env.NO_SUCH }';
    const folder = folderWith({
      'outgraph.config.ts': config(`{ settings: ${settings} }`),
      '.env': 'NEO4J_DATABASE=env\nMONGODB_DATABASE=env\n',
    });
    const { environment } = await complete(folder, { NEO4J_DATABASE: 'given' });
    expect(environment).toStrictEqual({ NEO4J_DATABASE: 'given', MONGODB_DATABASE: 'env', NEO4J_USERNAME: 'c' });
  });

  it('loses against OUTGRAPH_CATALOG', async () => {
    const folder = folderWith({ 'outgraph.config.ts': config('{ catalog }') });
    const { types } = await complete(folder, { OUTGRAPH_CATALOG: path.join(root, 'xmem/catalog.ts') });
    expect(types).toContain('memory-user');
    expect(types).not.toContain('person');
  });

  it.each([
    ['no default export', 'export const config = {};', /needs a default export/],
    ['an unknown key', config('{ catalogue: catalog }'), /"catalogue" is not a key\. Use "catalog" and "settings"/],
    ['a catalog that is a list', config('{ catalog: [] }'), /catalog: it must be made by createCatalog/],
    ['settings that are a list', config('{ settings: ["s3cret"] }'), /settings: it must be an object/],
    ['a misspelt setting', config('{ settings: { MONGODB_DATABSE: "s3cret" } }'), /Did you mean MONGODB_DATABASE\?/],
    [
      'an unknown setting',
      config('{ settings: { x: "s3cret" } }'),
      /settings\.x: there is no such setting\. The settings are: MONGODB_URI, /,
    ],
    ['a method as setting', config('{ settings: { toString: "s3cret" } }'), /toString: there is no such setting/],
    ['a wrong value', config('{ settings: { WORKER_CONSUMERS: "s3cret" } }'), /settings\.WORKER_CONSUMERS: .*number/],
    ['a wrong address', config('{ settings: { NEO4J_URI: "https://u:s3cret@x" } }'), /settings\.NEO4J_URI: must be/],
    ['a value that is an object', config('{ settings: { MONGODB_URI: {} } }'), /must be text, a number or a boolean/],
    ['the name of a catalog', config('{ settings: { OUTGRAPH_CATALOG: "c.ts" } }'), /give the catalog itself/],
    ['a syntax error', 'export default { settings: { MONGODB_URI: "s3cret" };', /cannot be loaded/],
    ['a missing import', "import './none.ts'; export default {};", /cannot be loaded: Cannot find module/],
  ])('with %s: exits 2 and names file, key and advice, but no value', async (_, text, reason) => {
    const { exitCode, stdout, stderr } = await run(folderWith({ 'outgraph.config.ts': text }), ['status']);
    expect({ exitCode, stdout }).toStrictEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^outgraph\.config\.ts/);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toContain('s3cret');
  });

  it('reports everything that is wrong at once', async () => {
    const text = config('{ catalog: 1, settings: { WORKER_CONSUMERS: 0, y: 1 } }');
    const { stderr } = await run(folderWith({ 'outgraph.config.ts': text }), ['status']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(3);
  });

  it('must be the only one, and exist if it is named', async () => {
    const two = folderWith({ 'outgraph.config.ts': config('{}'), 'outgraph.config.mjs': config('{}') });
    expect((await run(two, ['status'])).stderr).toMatch(/several config files: outgraph\.config\.ts, .*mjs\./);
    expect((await run(two, ['status', '--config', 'none.ts'])).stderr).toBe(
      'There is no config file none.ts. Correct --config.\n',
    );
  });
});
