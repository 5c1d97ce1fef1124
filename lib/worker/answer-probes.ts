/** What the worker answers over HTTP: the probes of a platform, and Prometheus. */
import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { describeError } from '../contract/fault.ts';
import type { Readiness } from './readiness.ts';

/**
 * What can be observed of a worker.
 *
 * @example
 * const isReady = async (worker: ObservedWorker) => (await worker.readiness()).ready;
 */
export interface ObservedWorker {
  /** Asks both servers, and says what is not ready. It takes up to six seconds. */
  readonly readiness: () => Promise<Pick<Readiness, 'ready' | 'problems'>>;
  /** Its metrics, for Prometheus: serve `await metrics.metrics()`. */
  readonly metrics: Registry;
}

/**
 * Creates the listener of `GET /livez`, `GET /readyz` and `GET /metrics`.
 *
 * @example
 * createServer(answerProbes(worker)).listen(8080);
 */
export function answerProbes(worker: ObservedWorker): RequestListener {
  let asked: ReturnType<ObservedWorker['readiness']> | null = null;
  // Probes that come at once ask the servers once.
  const askOnce = () => {
    asked ??= worker.readiness().finally(() => {
      asked = null;
    });
    return asked;
  };
  const answers: Readonly<Record<string, () => Promise<Answer>>> = {
    // It only proves that the process answers: a restart brings no server back.
    '/livez': async () => json(200, { live: true }),
    '/readyz': async () => {
      const readiness = await askOnce();
      return json(readiness.ready ? 200 : 503, readiness);
    },
    '/metrics': async () => ({
      status: 200,
      contentType: worker.metrics.contentType,
      body: await worker.metrics.metrics(),
    }),
  };
  return async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const known = request.method === 'GET' || request.method === 'HEAD';
    const answer = (known && Object.hasOwn(answers, path) && answers[path]) || null;
    const { status, contentType, body } =
      answer === null
        ? json(404, { paths: Object.keys(answers) })
        : await answer().catch((error: unknown) => json(500, describeError(error)));
    response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

function json(status: number, body: object): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}
