/**
 * Admits only requests with the token, from this machine and from the console's own page. The token
 * is in the path, so every relative address of the page contains it. A POST must also send it in a
 * header, which a form on another site cannot do.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The header of a POST. */
export const tokenHeader = 'x-outgraph-token';

const maxBodyBytes = 64 * 1024;

export interface Denial {
  readonly status: 403 | 405 | 413;
  readonly reason: string;
}

export interface Admission {
  /** The part of the path after the token, without a leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Checks the request's line and headers, before its body is read. */
export function admit(request: IncomingMessage, token: string, { port }: AddressInfo): Admission | Denial {
  // With DNS rebinding, Host contains the attacker's name.
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host = '', origin } = request.headers;
  if (!hosts.includes(host)) return denied('This server answers on 127.0.0.1 only.');
  // Parse it by hand: a URL parser throws for some addresses that any client can send.
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const [, given = '', ...rest] = path.split('/');
  if (!isSame(given, token))
    return denied('The address lacks the token: open the one that "outgraph console" printed.');
  if (request.method === 'POST') {
    if (!isSame(String(request.headers[tokenHeader] ?? ''), token))
      return denied(`The header ${tokenHeader} is missing.`);
    if (origin !== `http://${host}`) return denied('The request comes from another page.');
    // Node reads no more bytes than this header announces.
    if (!(Number(request.headers['content-length']) <= maxBodyBytes))
      return { status: 413, reason: `The request must state its length, of ${maxBodyBytes} bytes at most.` };
  } else if (request.method !== 'GET') {
    return { status: 405, reason: 'Only GET and POST are answered.' };
  }
  return { path: rest.join('/'), query: new URLSearchParams(search) };
}

function denied(reason: string): Denial {
  return { status: 403, reason };
}

/** Compares in constant time. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
