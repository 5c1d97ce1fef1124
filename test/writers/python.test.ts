/**
 * Checks the Python packages with Python's own tools, on the stack's replica set. Without Python
 * the tests are skipped, or fail if every writer must be tested.
 */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPython } from '../../tools/local/prerequisites.ts';
import { servers } from '../support/servers.ts';
import { type StandaloneMongodb, startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { installPython, type PythonEnvironment, type RunPython } from './python-environment.ts';

const python = findPython();
if (python === undefined && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Python writer cannot be tested: install Python 3.11 or newer.');

/** The library, which has the tool that generates the synchronous half of all packages. */
const library = 'writers/python';

/** The number of tests, including conformance cases, must exceed `tests`. */
const packages = [
  { name: 'the Python writer', folder: library, tests: 800 },
  { name: "XMem's operations in Python", folder: 'xmem/python', tests: 170 },
];

describe.skipIf(python === undefined).each(packages)('$name (needs Python 3.11 or newer)', ({ folder, tests }) => {
  let environment: PythonEnvironment;
  let run: RunPython;
  let standalone: StandaloneMongodb;
  beforeAll(async () => {
    environment = await installPython(python ?? '');
    run = environment.runsIn(folder);
    standalone = await startStandaloneMongodb();
  });
  afterAll(() => standalone?.stop());

  it('is formatted and passes its linter', async () => {
    await run('ruff', ['format', '--check', '.']);
    await run('ruff', ['check', '.']);
  });

  it('has strict types', async () => {
    await run('mypy', []);
  });

  it('has a synchronous half that matches its asynchronous one', async () => {
    await environment.runsIn(library)('tools.synchronous', ['--check', path.relative(library, folder)]);
  });

  it('passes its own tests and the conformance tables', async () => {
    const output = await run('pytest', ['-q', '-p', 'no:cacheprovider'], {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_STANDALONE_URI: standalone.uri,
    });
    const summary = output.trim().split('\n').at(-1) ?? '';
    expect(summary, 'all tests passed, none was skipped').toMatch(/^\d+ passed in /);
    expect(Number.parseInt(summary, 10)).toBeGreaterThan(tests);
  });
});
