/**
 * The Go modules, by the tools of their own language, against the stack's replica set. Without Go they are left out
 * here, and fail where every writer must be tested.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { servers } from '../support/servers.ts';
import { startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { hasGo, type RunInModule, runsIn } from './go-command.ts';

const toolchain = hasGo();
if (!toolchain && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Go writer cannot be tested: install Go 1.25 or newer.');

/** Where this runs for the first time, the modules are downloaded and compiled first. */
const firstRunMillis = 900_000;

/** Staticcheck is pinned once, for all modules. */
const tools = 'writers/go/tools.mod';

/** What `go test -json` prints, an object a line. */
interface GoTestEvent {
  readonly Action: string;
  readonly Package: string;
  readonly Test?: string;
  readonly Output?: string;
}

/** `packages` are those that have tests; the conformance cases are among the `tests`, of which there are more. */
const modules = [
  { name: 'the Go writer', folder: 'writers/go', packages: ['writers/go', 'writers/go/conformance'], tests: 300 },
  { name: "XMem's operations in Go", folder: 'xmem/go', packages: ['xmem/go'], tests: 70 },
];

describe.skipIf(!toolchain).each(modules)('$name (needs Go 1.25 or newer)', ({ folder, packages, tests }) => {
  const run = runsIn(folder);

  it('is formatted', async () => {
    expect(await run('gofmt', ['-l', '.'])).toBe('');
  });

  it('names every module that it needs, and no other', async () => {
    await run('go', ['mod', 'tidy', '-diff']);
  });

  it('has nothing that go vet would find', { timeout: firstRunMillis }, async () => {
    await run('go', ['vet', './...']);
  });

  it('has nothing that staticcheck would find', { timeout: firstRunMillis }, async () => {
    await run('go', ['tool', `-modfile=${path.relative(folder, tools)}`, 'staticcheck', './...']);
  });

  it('passes its own tests and the conformance tables', { timeout: firstRunMillis }, async () => {
    // The race detector needs a C compiler.
    const race = (await run('go', ['env', 'CGO_ENABLED'])).trim() === '1' ? ['-race'] : [];
    const standalone = await startStandaloneMongodb();
    const env = { MONGODB_URI: servers.mongodbUri, MONGODB_STANDALONE_URI: standalone.uri };
    // Not the remembered result of another replica set.
    const args = ['test', '-json', '-count=1', ...race, './...'];
    const output = await runTests(run, args, env).finally(standalone.stop);
    const events = output.map((line) => JSON.parse(line) as GoTestEvent);
    const ended = (action: string) => events.filter(({ Action, Test }) => Action === action && Test !== undefined);
    expect(ended('fail').map(({ Package, Test }) => `${Package} ${Test}`)).toStrictEqual([]);
    expect(ended('skip')).toStrictEqual([]);
    const passed = new Set(ended('pass').map(({ Package }) => Package.slice(Package.indexOf(folder))));
    expect([...passed].sort()).toStrictEqual(packages);
    expect(ended('pass').length, 'the conformance tables were among them').toBeGreaterThan(tests);
  });
});

/** The lines that the tests print. @throws Error with what `go test` would print without `-json`, if it failed. */
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
