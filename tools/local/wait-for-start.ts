/**
 * Waits until a started server answers. Reports progress on a slow machine, and stops waiting if
 * the server exits.
 */
import { type BackgroundProcess, lastLines } from './children.ts';
import { StackError } from './stack-error.ts';
import { waitUntil } from './wait-until.ts';

export interface Starting {
  readonly process: BackgroundProcess;
  readonly logFile: string;
  readonly pollMillis: number;
  /** Shorter in tests. */
  readonly limitSeconds?: number;
  readonly progressSeconds?: number;
}

/** Measured on two busy cores: Neo4j takes about a minute at a load of 20. */
const defaultLimitSeconds = 300;
const defaultProgressSeconds = 20;

/**
 * Resolves with the server's first answer.
 *
 * @throws StackError if it exits, or has not answered after some minutes.
 */
export async function waitForStart<Answer>(
  ask: () => Promise<Answer | undefined>,
  {
    process: server,
    logFile,
    pollMillis,
    limitSeconds = defaultLimitSeconds,
    progressSeconds = defaultProgressSeconds,
  }: Starting,
): Promise<Answer> {
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    process.stderr.write(
      `  ${server.name} has not answered yet (${seconds} s); waiting for ${limitSeconds} s at most\n`,
    );
  }, progressSeconds * 1_000);
  const answer = waitUntil(ask, { timeoutSeconds: limitSeconds, pollMillis, what: server.name }).catch(() => {
    throw new StackError(
      `${server.name} did not answer within ${limitSeconds} seconds: stop other work on the machine and try ` +
        `again, or see the end of its log (${logFile}):\n${lastLines(logFile)}`,
    );
  });
  // The other promise may still reject when nothing listens to it any more.
  answer.catch(() => undefined);
  try {
    return await Promise.race([server.ended, answer]);
  } finally {
    clearInterval(progress);
  }
}
