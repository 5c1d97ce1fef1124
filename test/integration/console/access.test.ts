/** Who may use the console's server, and how it answers others. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { type StartedConsole, startConsole } from './running-console.ts';

let database: TestDatabase;
let started: StartedConsole;
beforeAll(async () => {
  database = await createTestDatabase();
  started = await startConsole(database.settings);
});
afterAll(async () => {
  await started.interrupt();
  await database.drop();
});

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Answered {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** Does not use fetch, which does not allow a custom Host header. */
function ask({ method = 'GET', path = '', headers = {}, body }: Asked, token = started.token): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(`${started.origin}/${token}/${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => {
        text += data.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const selection = { codes: ['payload-invalid'], aggregateTypes: [], eventIds: [] };
const allowed = () => ({ 'x-outgraph-token': started.token, origin: started.origin });
const plan = (headers: Readonly<Record<string, string>>, body: unknown = selection) =>
  ask({ method: 'POST', path: 'redrive/plan', headers, body });

it('the token has 256 bits and differs each time', async () => {
  expect(Buffer.from(started.token, 'base64url')).toHaveLength(32);
  const other = await startConsole(database.settings);
  await other.interrupt();
  expect(other.token).not.toBe(started.token);
});

it('answers a client that knows the token', async () => {
  expect(await ask({})).toMatchObject({ status: 200, body: expect.stringContaining('outgraph console') });
  expect(await plan(allowed())).toMatchObject({ status: 200, body: expect.stringContaining('"events":0') });
});

it('listens only on the loopback interface', () => {
  expect(new URL(started.url).hostname).toBe('127.0.0.1');
});

describe('is forbidden', () => {
  it.each([
    '',
    'events',
    'dead',
    'aggregate?type=memory-event&id=x',
    'page/main.js',
    'nothing',
  ])('"%s" without the token or with another one', async (path) => {
    for (const token of ['', 'wrong', `${started.token.slice(0, -1)}_`, `${started.token}x`]) {
      const { status, body } = await ask({ path }, token);
      expect(status).toBe(403);
      expect(body).toContain('token');
    }
  });

  it.each<readonly [string, () => Readonly<Record<string, string>>]>([
    ['without the token in a header', () => ({ origin: started.origin })],
    ['with another token in the header', () => ({ ...allowed(), 'x-outgraph-token': 'wrong' })],
    ['from another page', () => ({ ...allowed(), origin: 'http://example.com' })],
    ['from another port of this machine', () => ({ ...allowed(), origin: 'http://127.0.0.1:1' })],
    ['without an origin', () => ({ 'x-outgraph-token': started.token })],
  ])('a POST %s', async (_, headers) => {
    expect(await plan(headers())).toMatchObject({ status: 403 });
  });

  it.each([
    'example.com',
    'localhost.example.com',
    '127.0.0.1',
    '10.0.0.1:80',
  ])('a foreign name that resolves to this machine: Host %s', async (host) => {
    expect(await ask({ headers: { host } })).toMatchObject({ status: 403 });
  });
});

describe('says what is wrong with', () => {
  it.each(['PUT', 'DELETE', 'OPTIONS'])('the method %s', async (method) => {
    expect(await ask({ method })).toMatchObject({ status: 405 });
  });

  it.each([
    'nothing',
    'page/../server/guard.ts',
    'page/',
    'page/tsconfig.json',
  ])('an unknown path: %s', async (path) => {
    expect(await ask({ path })).toMatchObject({ status: 404, body: expect.stringContaining('There is no') });
  });

  it.each<readonly [string, unknown]>([
    ['no events', { codes: [], aggregateTypes: [], eventIds: [] }],
    ['an invalid id', { codes: [], aggregateTypes: [], eventIds: ['x'] }],
    ['nothing', null],
  ])('a redrive of %s', async (_, body) => {
    expect(await plan(allowed(), body)).toMatchObject({ status: 400 });
  });

  it('a request that is too long', async () => {
    expect(await plan(allowed(), 'x'.repeat(70_000))).toMatchObject({ status: 413 });
  });

  it('an aggregate without its name, or of an unknown type', async () => {
    expect(await ask({ path: 'aggregate?type=memory-event' })).toMatchObject({ status: 400 });
    const { status, body } = await ask({ path: 'aggregate?type=unheard-of&id=x' });
    expect(status).toBe(404);
    expect(body).toContain('memory-event');
  });
});

it('forbids a browser to load from elsewhere, to cache, and to send a referrer', async () => {
  const { headers } = await ask({});
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});
