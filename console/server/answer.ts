/** The answers of the console's server: headers that isolate the page, and readable errors. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '../../lib/contract/fault.ts';

/** On every answer. */
export const commonHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export class HttpError extends Error {
  readonly status: 400 | 404 | 409 | 413;

  constructor(status: HttpError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

export function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...commonHeaders, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { ...commonHeaders, 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body, bigintText));
}

/** An error for the page: the console's own refusal, or a fault of a database. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError) answerJson(response, { code: 'refused', reason: error.message }, error.status);
  else answerJson(response, describeError(error), 502);
}

const maxBodyBytes = 64 * 1024;

/** The JSON of a POST. @throws HttpError if it is invalid or too long. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBodyBytes) throw new HttpError(413, `The request has more than ${maxBodyBytes} bytes.`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new HttpError(400, 'The request is not JSON.');
  }
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
