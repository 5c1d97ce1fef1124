/**
 * Checks the Go modules with Go's own tools, on the stack's replica set. Without Go the tests are
 * skipped, or fail if every writer must be tested.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { servers } from '../support/servers.ts';
import { startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { hasGo, type RunInModule, runsIn } from './go-command.ts';

const toolchain = hasGo();
if (!toolchain && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Go writer cannot be tested: install Go 1.25 or newer.');

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
