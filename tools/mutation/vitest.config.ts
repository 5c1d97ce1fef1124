/**
 * The tests that the mutation test runs repeatedly: those of the pure parts, which need no server.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/unit/{graph,contract,projection}/**/*.test.ts'] },
});
