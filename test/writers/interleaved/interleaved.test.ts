/**
 * Writers in three languages, several processes of each, change the same documents at the same time
 * while the primary steps down twice: the graph converges to the documents' last states, and every
 * commit has its event.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { connectNeo4j } from '../../../lib/graph/neo4j-connect.ts';
import { graph as graphAggregate } from '../../../lib/projection/graph.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { expectedGraph } from '../../../lib/testing/expected-graph.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { findPython } from '../../../tools/local/prerequisites.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { readDocumentStates } from '../../support/model/document-states.ts';
import { readGraph } from '../../support/model/read-graph.ts';
import { type OwnDatabases, startOwnDatabases } from '../../support/own-databases.ts';
import { silentLog } from '../../support/silent-log.ts';
import { hasGo } from '../go-command.ts';
import { installPython } from '../python-environment.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 900_000 });

const seconds = 20;
const aggregateCount = 60;
const processesOfEach = 2;
const languages = ['typescript', 'python', 'go'] as const;
type Language = (typeof languages)[number];

const python = findPython();
const missing = [...(python === undefined ? ['Python'] : []), ...(hasGo() ? [] : ['Go'])];
if (missing.length > 0 && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error(`Writers of all languages cannot be interleaved: install ${missing.join(' and ')}.`);

/** How to start a writer in each language whose toolchain is installed. */
const commands = new Map<
  Language,
  { readonly command: string; readonly args: readonly string[]; readonly cwd: string }
>();
let databases: OwnDatabases;

beforeAll(async () => {
  commands.set('typescript', {
    command: process.execPath,
    args: [path.join(import.meta.dirname, 'write.ts')],
    cwd: projectRoot,
  });
  const library = (name: string) => path.join(projectRoot, 'writers', name);
  if (python !== undefined) {
    const { executable } = await installPython(python);
    const env = { command: executable, args: ['tests/interleave.py'], cwd: library('python') };
    commands.set('python', env);
  }
  databases = await startOwnDatabases({ mongodbMembers: 3 });
  if (hasGo()) {
    const binary = path.join(databases.folder, 'interleave');
    await run({ command: 'go', args: ['build', '-o', binary, './internal/interleave'], cwd: library('go') }, {});
    commands.set('go', { command: binary, args: [], cwd: library('go') });
  }
});
afterAll(() => databases?.stop());

const without = missing.length > 0 ? ` (without ${missing.join(' and ')}, which is not installed)` : '';
it(`the graph converges to the documents' last states${without}`, async () => {
  const { environment } = databases;
  const client = new MongoClient(environment.MONGODB_URI);
  const db = client.db(environment.MONGODB_DATABASE);
  const outbox = db.collection('outbox');
  const driver = connectNeo4j({ uri: environment.NEO4J_URI, username: '', password: '' });
  const worker = startWorker(readSettings(workerSettings, { ...environment, WORKER_SWEEP_SECONDS: '1' }), catalog, {
    ...silentLog,
    failed: () => undefined,
  });
  try {
    const writers = [...commands].flatMap(([language, command]) =>
      Array.from({ length: processesOfEach }, async (_, index) => {
        const env = { WRITER: `${language}-${index}`, AGGREGATES: String(aggregateCount), SECONDS: String(seconds) };
        return { language, ...(JSON.parse(await run(command, { ...environment, ...env })) as Ends) };
      }),
    );
    const stepDowns = (async () => {
      for (let count = 0; count < 2; count += 1) {
        await sleep((seconds / 3) * 1_000);
        await client.db('admin').command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 5 });
      }
    })();
    const ends = await Promise.all(writers);
    await stepDowns;

    for (const { language, committed, aborted, failed } of ends) {
      expect(failed, language).toBe(0);
      expect(committed, language).toBeGreaterThan(20);
      expect(aborted, language).toBeGreaterThan(0);
    }
    const settled = async () => ((await outbox.countDocuments({ status: 'pending' })) === 0 ? true : undefined);
    await waitUntil(settled, { timeoutSeconds: 180, pollMillis: 100, what: 'every event to be settled' });
    expect(await outbox.countDocuments({ status: 'dead' })).toBe(0);
    expect(await outbox.countDocuments({ 'payload.nodes.properties.version': 'aborted' })).toBe(0);

    const states = await readDocumentStates(db, graphAggregate, {});
    const keys = { Interleaved: ['id'], InterleavedHub: ['id'] };
    expect(await readGraph(driver, environment.NEO4J_DATABASE, keys)).toStrictEqual(expectedGraph(states));
    expect(states.length).toBeGreaterThan(10);
    // Events of every language are in the outbox.
    for (const language of commands.keys())
      expect(
        await outbox.countDocuments({ 'payload.nodes.properties.version': new RegExp(`^${language}-`) }),
      ).toBeGreaterThan(20);
  } finally {
    await worker.stop();
    await Promise.all([client.close(), driver.close()]);
  }
});

interface Ends {
  readonly committed: number;
  readonly aborted: number;
  readonly failed: number;
}

/**
 * Runs a program to its end. Returns its output.
 *
 * @throws Error with its error output, if it failed.
 */
function run(
  { command, args, cwd }: { readonly command: string; readonly args: readonly string[]; readonly cwd: string },
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(command, [...args], {
    cwd,
    env: { ...process.env, PYTHONPATH: 'src', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (data: Buffer) => {
      output[name] += data.toString();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => {
      if (exitCode === 0) resolve(output.stdout);
      else reject(new Error(`${command} exited with ${exitCode}: ${output.stderr.slice(-2_000)}`));
    });
  });
}
