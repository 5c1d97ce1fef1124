/** `outgraph worker` in a process of its own, as a platform runs and observes it. */
import { onTestFinished } from 'vitest';
import type { Readiness } from '../../lib/worker/readiness.ts';
import { freePort } from '../../tools/local/free-port.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { type OutgraphProcess, startOutgraphProcess } from './run-outgraph.ts';

export interface WorkerProcess extends OutgraphProcess {
  readonly port: number;
  /** Answers false also if the process does not answer. */
  readonly isLive: () => Promise<boolean>;
  readonly readiness: () => Promise<Readiness & { readonly status: number }>;
  readonly metrics: () => Promise<string>;
  /** Waits until `GET /readyz` answers this. */
  readonly until: (wanted: 'ready' | 'not ready') => Promise<Readiness>;
}

/**
 * Starts a worker that ends with the test at the latest.
 *
 * @param port another process's, to start again where it was.
 */
export async function startWorkerProcess(
  settings: Readonly<Record<string, string>>,
  port?: number,
  args: readonly string[] = [],
): Promise<WorkerProcess> {
  const chosen = port ?? (await freePort());
  const child = startOutgraphProcess(['worker', '--bind', '127.0.0.1', '--port', `${chosen}`, ...args], settings);
  onTestFinished(() => child.kill());
  const get = (path: string) => fetch(`http://127.0.0.1:${chosen}${path}`, { signal: AbortSignal.timeout(10_000) });
  const readiness = async () => {
    const response = await get('/readyz');
    return { ...((await response.json()) as Readiness), status: response.status };
  };
  return {
    ...child,
    port: chosen,
    isLive: async () => (await get('/livez').catch(() => null))?.status === 200,
    readiness,
    metrics: async () => (await get('/metrics')).text(),
    until: (wanted) =>
      waitUntil(
        async () => {
          const answer = await readiness();
          const status = wanted === 'ready' ? 200 : 503;
          return answer.status === status ? answer : undefined;
        },
        { timeoutSeconds: 90, pollMillis: 100, what: `the worker to be ${wanted}` },
      ),
  };
}
