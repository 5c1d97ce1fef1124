/**
 * The tests by what they need. `npm test` runs unit, integration and end-to-end tests, `npm run test:rest` the others
 * but those of the night, and `npm run test:all` all of them.
 *
 * | project     | needs |
 * |-------------|-------|
 * | unit        | nothing |
 * | integration | MongoDB, Neo4j and LocalStack, shared by the run |
 * | end-to-end  | the same with the functions deployed, once for the run |
 * | package     | nothing; packs the package and packages the functions |
 * | writers     | MongoDB, Python and Go |
 * | operations  | as end-to-end; deploys further services, restarts, restores and moves databases |
 * | convergence | as integration: its random tests, with many more cases |
 * | failures    | servers of its own, which are killed, paused and cut off |
 * | nightly     | as integration and failures, for longer than a contributor waits |
 *
 * Cheap projects come first (`groupOrder`), so that a broken change fails early; projects of one group run side by
 * side.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

if (Number(process.versions.node.split('.')[0]) < 24)
  throw new Error(
    `The tests need Node 24, and this is ${process.version}. Run "npx vitest", which takes the pinned Node, ` +
      "or set your editor's Node to node_modules/.bin/node.",
  );

/** Only ends a test that waits in vain: tests wait for conditions, and a machine may be slow. */
const serverTestMillis = 240_000;

const localAws = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

interface Needs {
  /** MongoDB, Neo4j and LocalStack, shared by all projects that need them. */
  readonly needsServers?: true;
  /** Test files at once. They mostly wait for servers, so more than one fits a processor. */
  readonly maxWorkers: number;
  /** Tests at once in one file, of those that are marked concurrent. */
  readonly maxConcurrency?: number;
  readonly groupOrder: number;
  readonly timeoutMillis: number;
  /** False: the files share their modules, which saves the time to load them again. */
  readonly isolate?: false;
  /** Left out: the tests in the folder of that name. */
  readonly include?: readonly string[];
  /** Of the random tests; the environment variables `OUTGRAPH_HISTORIES` and `OUTGRAPH_ATTEMPTS` take precedence. */
  readonly randomCases?: { readonly histories: number; readonly attempts: number };
}

function project(name: string, needs: Needs): TestProjectInlineConfiguration {
  const { OUTGRAPH_HISTORIES, OUTGRAPH_ATTEMPTS } = process.env;
  const { histories = 0, attempts = 0 } = needs.randomCases ?? {};
  return {
    test: {
      name,
      include: [...(needs.include ?? [`test/${name}/**/*.test.ts`])],
      env: {
        ...localAws,
        OUTGRAPH_HISTORIES: OUTGRAPH_HISTORIES ?? String(histories),
        OUTGRAPH_ATTEMPTS: OUTGRAPH_ATTEMPTS ?? String(attempts),
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
    // Node loads the modules itself: Vite takes a build of the AWS SDK of which it reads hundreds of modules in every
    // worker.
    experimental: { viteModuleRunner: false },
    reporters: ['default', new SummaryReporter()],
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
        maxWorkers: 2,
        groupOrder: 6,
        timeoutMillis: slow,
        include: ['test/integration/graph/{convergence,injection}.test.ts'],
        randomCases: { histories: 500, attempts: 800 },
      }),
      project('failures', { maxWorkers: 3, groupOrder: 7, timeoutMillis: slow }),
      project('nightly', { needsServers: true, maxWorkers: 1, groupOrder: 8, timeoutMillis: slow }),
    ],
  },
});
