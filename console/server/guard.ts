/**
 * Who may ask the console's server: only somebody who knows its token, on this machine, from its own page. The token
 * stands in the path, so that every relative address of the page carries it; a POST must bear it once more in a header,
 * which no form of another site can send.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The header of a POST. */
export const tokenHeader = 'x-outgraph-token';

/** Why a request is refused. */
export interface Denial {
  readonly status: 403 | 405;
  readonly reason: string;
}

/** What is left of a request that may go on. */
export interface Admission {
  /** Below the token, without a slash in front. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Looks at the request's line and headers; its body is not read before. */
export function admit(request: IncomingMessage, token: string, { port }: AddressInfo): Admission | Denial {
  // A name of somebody else's that was made to lead here (DNS rebinding) stands in Host.
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host = '', origin } = request.headers;
  if (!hosts.includes(host)) return denied('This server answers on 127.0.0.1 only.');
  // By hand: a parser of addresses refuses some that anybody may send.
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const [, given = '', ...rest] = path.split('/');
  if (!isSame(given, token))
    return denied('The address lacks the token: open the one that "outgraph console" printed.');
  if (request.method === 'POST') {
    if (!isSame(String(request.headers[tokenHeader] ?? ''), token))
      return denied(`The header ${tokenHeader} is missing.`);
    if (origin !== `http://${host}`) return denied('The request comes from another page.');
  } else if (request.method !== 'GET') {
    return { status: 405, reason: 'Only GET and POST are answered.' };
  }
  return { path: rest.join('/'), query: new URLSearchParams(search) };
}

function denied(reason: string): Denial {
  return { status: 403, reason };
}

/** Compares in a time that does not tell where they differ. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
