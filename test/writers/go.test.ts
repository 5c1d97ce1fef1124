/**
 * Checks the Go modules with Go's own tools, on the stack's replica set. Without Go the tests are
 * skipped, or fail if every writer must be tested.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../tools/local/paths.ts';
import { readRepository, setRepository } from '../../tools/release/set-repository.ts';
import { runTool } from '../support/run-tool.ts';
import { servers } from '../support/servers.ts';
import { startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { hasGo, type RunInModule, runsIn } from './go-command.ts';

const toolchain = hasGo();
if (!toolchain && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Go writer cannot be tested: install Go 1.25 or newer.');

/** The path of the modules in this repository. */
const placeholder = readRepository(projectRoot);

/** The first run downloads and compiles the modules. */
const firstRunMillis = 900_000;

/** Staticcheck is pinned in one place for all modules. */
const tools = 'writers/go/tools.mod';

/** The output of `go test -json`, one object per line. */
interface GoTestEvent {
  readonly Action: string;
  readonly Package: string;
  readonly Test?: string;
  readonly Output?: string;
}

/**
 * `packages` lists the packages with tests. The number of tests, including conformance cases, must
 * exceed `tests`.
 */
const modules = [
  { name: 'the Go writer', folder: 'writers/go', packages: ['writers/go', 'writers/go/conformance'], tests: 300 },
  { name: "XMem's operations in Go", folder: 'xmem/go', packages: ['xmem/go'], tests: 70 },
];

describe.skipIf(!toolchain).each(modules)('$name (needs Go 1.25 or newer)', ({ folder, packages, tests }) => {
  const run = runsIn(folder);

  it('is formatted', async () => {
    expect(await run('gofmt', ['-l', '.'])).toBe('');
  });

  it('names exactly the modules that it needs', async () => {
    await run('go', ['mod', 'tidy', '-diff']);
  });

  it('passes go vet', { timeout: firstRunMillis }, async () => {
    await run('go', ['vet', './...']);
  });

  it('passes staticcheck', { timeout: firstRunMillis }, async () => {
    await run('go', ['tool', `-modfile=${path.relative(folder, tools)}`, 'staticcheck', './...']);
  });

  it('passes its own tests and the conformance tables', { timeout: firstRunMillis }, async () => {
    // The race detector needs a C compiler.
    const race = (await run('go', ['env', 'CGO_ENABLED'])).trim() === '1' ? ['-race'] : [];
    const standalone = await startStandaloneMongodb();
    const env = { MONGODB_URI: servers.mongodbUri, MONGODB_STANDALONE_URI: standalone.uri };
    // Without cached results of another replica set.
    const args = ['test', '-json', '-count=1', ...race, './...'];
    const output = await runTests(run, args, env).finally(standalone.stop);
    const events = output.map((line) => JSON.parse(line) as GoTestEvent);
    const ended = (action: string) => events.filter(({ Action, Test }) => Action === action && Test !== undefined);
    expect(ended('fail').map(({ Package, Test }) => `${Package} ${Test}`)).toStrictEqual([]);
    expect(ended('skip')).toStrictEqual([]);
    const passed = new Set(ended('pass').map(({ Package }) => Package.slice(Package.indexOf(folder))));
    expect([...passed].sort()).toStrictEqual(packages);
    expect(ended('pass').length, 'the conformance tables are included').toBeGreaterThan(tests);
  });
});

describe.skipIf(!toolchain)('the Go modules of a fork (needs Go 1.25 or newer)', () => {
  let fork: string;
  beforeAll(async () => {
    fork = await mkdtemp(path.join(tmpdir(), 'outgraph-fork-'));
    for (const name of ['package.json', 'writers/typescript/package.json', ...modules.map(({ folder }) => folder)])
      await cp(path.join(projectRoot, name), path.join(fork, name), { recursive: true });
    setRepository(fork, 'github.com/acme/graphs');
  });
  afterAll(() => rm(fork, { recursive: true, force: true }));

  it.each(modules)("are formatted, tidy and pass go vet with the fork's path: $folder", async ({ folder }) => {
    const cwd = path.join(fork, folder);
    const run = (command: string, args: readonly string[]) => runTool({ command, args, cwd, env: {} });
    expect(await run('go', ['list', '-m'])).toBe(`github.com/acme/graphs/${folder}\n`);
    expect(await run('gofmt', ['-l', '.'])).toBe('');
    await run('go', ['mod', 'tidy', '-diff']);
    await run('go', ['vet', './...']);
    const names = (await readdir(cwd, { recursive: true })).filter((name) => /\.(go|mod|md)$/.test(name));
    const texts = await Promise.all(names.map((name) => readFile(path.join(cwd, name), 'utf8')));
    expect(names.filter((_, index) => texts[index]?.includes(`${placeholder}/`))).toStrictEqual([]);
  });

  it("have the repository that npm's provenance names", async () => {
    const repositoryIn = async (folder: string) =>
      JSON.parse(await readFile(path.join(fork, folder, 'package.json'), 'utf8')).repository;
    const repository = { type: 'git', url: 'git+https://github.com/acme/graphs.git' };
    expect(await repositoryIn('')).toStrictEqual(repository);
    const directory = 'writers/typescript';
    expect(await repositoryIn(directory)).toStrictEqual({ ...repository, directory });
  });
});

/**
 * Returns the lines that the tests print.
 *
 * @throws Error with the output of `go test` without `-json`, if it failed.
 */
async function runTests(run: RunInModule, args: readonly string[], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  try {
    return (await run('go', args, env)).trim().split('\n');
  } catch (error) {
    const readable = (error as Error).message.replace(
      /^\{.*\}$/gm,
      (line) => (JSON.parse(line) as GoTestEvent).Output?.trimEnd() ?? '',
    );
    throw new Error(readable.replace(/^(=== .*|\s*--- PASS.*|)\n/gm, ''));
  }
}
