/** Waits for a condition by polling. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Waiting {
  readonly timeoutSeconds: number;
  readonly pollMillis: number;
  /** What is awaited, for the error: "Neo4j to answer". */
  readonly what: string;
}

/**
 * Resolves with the first result that is not undefined. An error counts as no result yet.
 *
 * @throws Error when the time is up, with the last error as its cause.
 */
export async function waitUntil<Answer>(ask: () => Promise<Answer | undefined>, waiting: Waiting): Promise<Answer> {
  const deadline = performance.now() + waiting.timeoutSeconds * 1000;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    await sleep(waiting.pollMillis);
  }
  throw new Error(`Waited ${waiting.timeoutSeconds} s in vain for ${waiting.what}.`, { cause });
}
