/**
 * Lets tests, which run in other processes, send requests to the global set-up: `POST
 * /<what>/<words>` with JSON.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** Answers a request. Its error becomes the error of the test. */
export type Answer = (words: readonly string[], body: unknown) => Promise<unknown>;

export interface RequestServer {
  readonly url: string;
  readonly close: () => void;
}

/** Starts the server on a loopback port. */
export async function serveRequests(answers: Readonly<Record<string, Answer>>): Promise<RequestServer> {
  const serve = async (request: IncomingMessage): Promise<unknown> => {
    const [, what = '', ...words] = (request.url ?? '').split('/');
    const answer = answers[what];
    if (answer === undefined) throw new Error(`Nothing answers ${what}.`);
    return answer(words, await json(request));
  };
  const server = createServer((request, response) => {
    serve(request).then(
      (answer) => response.end(JSON.stringify(answer ?? null)),
      (error) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
