/** The Python writer, by the tools of its own language, against the stack's replica set. Without Python it is left out here, and fails where every writer must be tested. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPython } from '../../tools/local/prerequisites.ts';
import { servers } from '../support/servers.ts';
import { type StandaloneMongodb, startStandaloneMongodb } from '../support/standalone-mongodb.ts';
import { installPython, type RunPython } from './python-environment.ts';

const python = findPython();
if (python === undefined && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('The Python writer cannot be tested: install Python 3.11 or newer.');

describe.skipIf(python === undefined)('the Python writer (needs Python 3.11 or newer)', () => {
  let run: RunPython;
  let standalone: StandaloneMongodb;
  beforeAll(async () => {
    ({ run } = await installPython(python ?? ''));
    standalone = await startStandaloneMongodb();
  });
  afterAll(() => standalone?.stop());

  it('is formatted, and its linter finds nothing', async () => {
    await run('ruff', ['format', '--check', '.']);
    await run('ruff', ['check', '.']);
  });

  it('has strict types', async () => {
    await run('mypy', []);
  });

  it('has a synchronous half that says what its asynchronous one does', async () => {
    await run('tools.synchronous', ['--check']);
  });

  it('passes its own tests and the conformance tables', async () => {
    const output = await run('pytest', ['-q', '-p', 'no:cacheprovider'], {
      MONGODB_URI: servers.mongodbUri,
      MONGODB_STANDALONE_URI: standalone.uri,
    });
    const summary = output.trim().split('\n').at(-1) ?? '';
    expect(summary, 'all of them passed, none was skipped').toMatch(/^\d+ passed in /);
    expect(Number.parseInt(summary, 10)).toBeGreaterThan(0);
  });
});
