/** The responses of the console's server: headers that isolate the page, and readable errors. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { z } from 'zod';
import { describeError } from '../../lib/contract/fault.ts';

/** Sent with every response. */
export const commonHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export class HttpError extends Error {
  readonly status: 400 | 404 | 409;

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
  response.end(JSON.stringify(body));
}

/** Responds with an error for the page: the console's own refusal, or a fault of a database. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError) answerJson(response, { code: 'refused', reason: error.message }, error.status);
  else answerJson(response, describeError(error), 502);
}

/**
 * Reads the JSON of a POST. The guard has limited its length.
 *
 * @throws HttpError if it is invalid.
 */
export async function readJson<Shape>(request: IncomingMessage, shape: z.ZodType<Shape>): Promise<Shape> {
  const body = await json(request).catch(() => {
    throw new HttpError(400, 'The request is not JSON.');
  });
  const { success, data, error } = shape.safeParse(body);
  if (success) return data;
  throw new HttpError(400, `The request is invalid: ${error.issues.map(({ message }) => message).join('; ')}.`);
}
