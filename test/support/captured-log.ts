/**
 * Captures what a function under test writes to the console, which Powertools uses with
 * `POWERTOOLS_DEV`.
 */
import { beforeEach, vi } from 'vitest';

/** Collects the lines of each test separately. Call it at the top level of a test file. */
export function captureLog(): { readonly lines: readonly string[] } {
  const captured: { lines: string[] } = { lines: [] };
  beforeEach(() => {
    captured.lines = [];
    for (const level of ['log', 'debug', 'info', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void captured.lines.push(String(line)));
    }
    return () => vi.restoreAllMocks();
  });
  return captured;
}
