/**
 * Six kinds of tests: `unit` needs no server, `infrastructure` packages and lints what is deployed, `integration` one real server each, `writers` the libraries in other languages, `end-to-end` the deployed functions, `failures` stacks of their own that are broken: they run after the others,
 * two at a time, so that a fault meets nothing but what it is meant for.
 */
import { defineConfig } from 'vitest/config';

/** Real servers take their time; a test waits for a condition, and this only ends one that waits in vain. */
const serverTestMillis = 120_000;

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          testTimeout: serverTestMillis,
          // The first one downloads LocalStack, which brings cfn-lint along.
          hookTimeout: 3 * serverTestMillis,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: serverTestMillis,
          hookTimeout: serverTestMillis,
        },
      },
      {
        test: {
          name: 'writers',
          include: ['test/writers/**/*.test.ts'],
          testTimeout: 3 * serverTestMillis,
          // The first one installs or builds what the library is written with.
          hookTimeout: 3 * serverTestMillis,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          testTimeout: 3 * serverTestMillis,
          hookTimeout: serverTestMillis,
        },
      },
      {
        test: {
          name: 'failures',
          include: ['test/failures/**/*.test.ts'],
          testTimeout: 3 * serverTestMillis,
          hookTimeout: 3 * serverTestMillis,
          // Each file has a stack of its own, which mostly waits for time-outs: one alone left three quarters of two cores idle.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
