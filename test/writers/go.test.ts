/** The Go writer, by the tools of its own language, against the stack's replica set. Without Go it is left out here, and fails where every writer must be tested. */
import { describe, expect, it } from 'vitest';
import { servers } from '../support/servers.ts';
import { startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { hasGo, runInLibrary } from './go-command.ts';

const toolchain = hasGo();
if (!toolchain && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Go writer cannot be tested: install Go 1.25 or newer.');

/** Where this runs for the first time, the modules are downloaded and compiled first. */
const firstRunMillis = 900_000;

/** What `go test -json` prints, an object a line. */
interface GoTestEvent {
  readonly Action: string;
  readonly Package: string;
  readonly Test?: string;
  readonly Output?: string;
}

describe.skipIf(!toolchain)('the Go writer (needs Go 1.25 or newer)', () => {
  it('is formatted', async () => {
    expect(await runInLibrary('gofmt', ['-l', '.'])).toBe('');
  });

  it('names every module that it needs, and no other', async () => {
    await runInLibrary('go', ['mod', 'tidy', '-diff']);
  });

  it('has nothing that go vet would find', { timeout: firstRunMillis }, async () => {
    await runInLibrary('go', ['vet', './...']);
  });

  it('has nothing that staticcheck would find', { timeout: firstRunMillis }, async () => {
    await runInLibrary('go', ['tool', '-modfile=tools.mod', 'staticcheck', './...']);
  });

  it('passes its own tests and the conformance tables', { timeout: firstRunMillis }, async () => {
    // The race detector needs a C compiler.
    const race = (await runInLibrary('go', ['env', 'CGO_ENABLED'])).trim() === '1' ? ['-race'] : [];
    const standalone = await startStandaloneMongodb();
    const env = { MONGODB_URI: servers.mongodbUri, MONGODB_STANDALONE_URI: standalone.uri };
    // Not the remembered result of another replica set.
    const output = await runTests(['test', '-json', '-count=1', ...race, './...'], env).finally(standalone.stop);
    const events = output.map((line) => JSON.parse(line) as GoTestEvent);
    const tests = (action: string) => events.filter(({ Action, Test }) => Action === action && Test !== undefined);
    expect(tests('fail').map(({ Package, Test }) => `${Package} ${Test}`)).toStrictEqual([]);
    expect(tests('skip')).toStrictEqual([]);
    const passed = new Set(tests('pass').map(({ Package }) => Package.replace(/^.*\/writers\//, '')));
    expect([...passed].sort()).toStrictEqual(['go', 'go/conformance', 'go/xmem']);
    expect(tests('pass').length, 'the conformance tables were among them').toBeGreaterThan(300);
  });
});

/** The lines that the tests print. @throws Error with what `go test` would print without `-json`, if it failed. */
async function runTests(args: readonly string[], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  try {
    return (await runInLibrary('go', args, env)).trim().split('\n');
  } catch (error) {
    const readable = (error as Error).message.replace(
      /^\{.*\}$/gm,
      (line) => (JSON.parse(line) as GoTestEvent).Output?.trimEnd() ?? '',
    );
    throw new Error(readable.replace(/^(=== .*|\s*--- PASS.*|)\n/gm, ''));
  }
}
