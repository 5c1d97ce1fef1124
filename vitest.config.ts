/**
 * The test projects, by the servers that they need. `npm test` runs unit, integration and
 * end-to-end tests. `npm run test:rest` runs the others except nightly, and `npm run test:all` runs
 * all of them.
 *
 * | project     | needs |
 * |-------------|-------|
 * | unit        | nothing |
 * | integration | MongoDB, Neo4j and LocalStack, shared by the run |
 * | end-to-end  | the same with the functions deployed, once for the run |
 * | package     | nothing but a mongod of its own; packs and installs the packages, and packages the functions |
 * | writers     | MongoDB, Python and Go |
 * | operations  | as end-to-end; deploys further services, restarts, restores and moves databases |
 * | convergence | as integration: its random tests, with more cases; at night, `npm run soak` runs thousands |
 * | neo4j-2026  | MongoDB, and Neo4j 2026 instead of 5.26: the files that depend on Neo4j most |
 * | failures    | separate servers, which the tests kill, pause and cut off |
 * | nightly     | as integration and failures, for longer than a contributor waits |
 *
 * Cheap projects come first (`groupOrder`), so that a broken change fails early. Projects with the
 * same `groupOrder` run concurrently.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SlowFilesFirst } from './test/support/slow-files-first.ts';
import { SummaryReporter } from './test/support/summary-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24)
  throw new Error(
    `The tests need Node 24, and this is ${process.version}. Run "npx vitest", which takes the pinned Node, ` +
      "or set your editor's Node to node_modules/.bin/node.",
  );

/** Ends only hung tests: tests wait for conditions, and a machine may be slow. */
const serverTestMillis = 240_000;

const localAws = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

interface Needs {
  /** MongoDB, Neo4j and LocalStack, shared by all projects that need them. */
  readonly needsServers?: true;
  /** The release of Neo4j, if not the one that the other projects share. */
  readonly neo4j?: string;
  /** Concurrent test files. They mostly wait for servers, so a processor can run more than one. */
  readonly maxWorkers: number;
  /** Concurrent tests in a file, of those marked `concurrent`. */
  readonly maxConcurrency?: number;
  readonly groupOrder: number;
  readonly timeoutMillis: number;
  /** False: the test files share loaded modules, which saves time. */
  readonly isolate?: false;
  /** Default: the tests in the folder with the project's name. */
  readonly include?: readonly string[];
  /**
   * For the random tests. The environment's `OUTGRAPH_HISTORIES` and `OUTGRAPH_ATTEMPTS` override
   * it.
   */
  readonly randomCases?: { readonly histories: number; readonly attempts: number };
}

function project(name: string, needs: Needs): TestProjectInlineConfiguration {
  const { OUTGRAPH_HISTORIES, OUTGRAPH_ATTEMPTS } = process.env;
  const { histories = 0, attempts = 0 } = needs.randomCases ?? {};
  return {
    test: {
      name,
      include: [...(needs.include ?? [`test/${name}/**/*.test.ts`])],
      // For node:test, in a service of its own.
      exclude: ['test/package/mongoose-service/**'],
      env: {
        ...localAws,
        OUTGRAPH_HISTORIES: OUTGRAPH_HISTORIES ?? String(histories),
        OUTGRAPH_ATTEMPTS: OUTGRAPH_ATTEMPTS ?? String(attempts),
        ...(needs.neo4j !== undefined && { OUTGRAPH_NEO4J: needs.neo4j }),
      },
      testTimeout: needs.timeoutMillis,
      hookTimeout: needs.timeoutMillis,
      maxWorkers: needs.maxWorkers,
      maxConcurrency: needs.maxConcurrency ?? 5,
      isolate: needs.isolate ?? true,
      sequence: { groupOrder: needs.groupOrder },
      ...(needs.needsServers && { globalSetup: 'test/support/global-setup/servers.ts' }),
    },
  };
}

const slow = 2 * serverTestMillis;

export default defineConfig({
  test: {
    // Node loads the modules: Vite would resolve a build of the AWS SDK with hundreds of modules,
    // and read them in every worker.
    experimental: { viteModuleRunner: false },
    reporters: ['default', new SummaryReporter()],
    sequence: { sequencer: SlowFilesFirst },
    // Stopping the servers takes longer than the default of ten seconds on a busy machine.
    teardownTimeout: 60_000,
    projects: [
      project('unit', { isolate: false, maxWorkers: 2, maxConcurrency: 20, groupOrder: 0, timeoutMillis: 20_000 }),
      project('integration', {
        isolate: false,
        needsServers: true,
        maxWorkers: 3,
        groupOrder: 2,
        timeoutMillis: serverTestMillis,
        randomCases: { histories: 30, attempts: 150 },
      }),
      project('end-to-end', { needsServers: true, maxWorkers: 3, groupOrder: 3, timeoutMillis: slow }),
      project('package', { maxWorkers: 3, groupOrder: 4, timeoutMillis: slow }),
      project('writers', { needsServers: true, maxWorkers: 3, groupOrder: 4, timeoutMillis: slow }),
      project('operations', { needsServers: true, maxWorkers: 3, groupOrder: 4, timeoutMillis: slow }),
      project('convergence', {
        needsServers: true,
        maxWorkers: 3,
        groupOrder: 4,
        timeoutMillis: slow,
        include: ['test/integration/graph/{convergence,injection}.test.ts'],
        randomCases: { histories: 200, attempts: 800 },
      }),
      project('neo4j-2026', {
        needsServers: true,
        neo4j: '2026',
        maxWorkers: 3,
        groupOrder: 4,
        timeoutMillis: slow,
        include: [
          'test/neo4j-2026/*.test.ts',
          'test/integration/cli/doctor-graph.test.ts',
          'test/integration/graph/{convergence,ownership,vanished-nodes}.test.ts',
          'test/integration/sweep/purge-tombstones.test.ts',
          'test/integration/upgrade/recorded-versions.test.ts',
          'test/operations/worker-restart.test.ts',
        ],
        randomCases: { histories: 60, attempts: 0 },
      }),
      project('failures', { maxWorkers: 3, groupOrder: 4, timeoutMillis: slow }),
      project('nightly', { needsServers: true, maxWorkers: 1, groupOrder: 5, timeoutMillis: slow }),
    ],
  },
});
