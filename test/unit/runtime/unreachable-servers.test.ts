/**
 * The error messages for an unreachable server, with the real drivers and sockets that are not
 * MongoDB or Neo4j.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNeo4j } from '../../../lib/graph/neo4j-connect.ts';
import { withNeo4jAddress } from '../../../lib/graph/neo4j-errors.ts';
import { read } from '../../../lib/graph/neo4j-read.ts';
import { connectMongodb, pingMongodb } from '../../../lib/outbox/mongodb-connect.ts';
import { connectionProblem } from '../../../lib/runtime/connection-problem.ts';

const servers: Server[] = [];
const ports = { web: 0, silent: 0, closing: 0, tls: 0, none: 1 };
type Port = keyof typeof ports;

async function listen(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  ports.web = await listen(createWebServer((_, response) => response.end('a page')));
  ports.silent = await listen(createServer());
  ports.closing = await listen(createServer((socket) => socket.destroy()));
  ports.tls = await listen(createTlsServer(selfSigned()));
});
afterAll(() => {
  for (const server of servers) server.close();
});

/** A self-signed certificate for `localhost`. */
function selfSigned() {
  const folder = mkdtempSync(path.join(tmpdir(), 'outgraph-certificate-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  try {
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => new Error('It succeeded.')).catch((error: unknown) => error as Error);
  expect(error).toMatchObject({ name: 'Fault' });
  expect(error.message).not.toContain('s3cret');
  return error.message;
}

describe.concurrent.each(['bolt', 'neo4j'])('Neo4j at %s://', (scheme) => {
  it.each<readonly [string, Port, string, readonly string[]]>([
    ['nothing listening', 'none', '', ['nothing listens there', 'NEO4J_URI']],
    ['a web server', 'web', '', ['a web server answers there', '7687']],
    ['a server that never answers', 'silent', '', ['the server does not answer']],
    ['a server that closes the connection', 'closing', '', ['closed the connection', '+s://']],
    ['TLS to a server without', 'web', '+s', ['does not speak TLS']],
    ['a self-signed certificate', 'tls', '+s', ['self-signed', 'NODE_EXTRA_CA_CERTS']],
  ])('%s has its own message, with the address and advice', async (_, port, tls, expected) => {
    const address = `localhost:${ports[port]}`;
    const uri = `${scheme}${tls}://${address}`;
    const driver = connectNeo4j(
      { uri, username: 'neo4j', password: 's3cret' },
      { retrySeconds: 0, acquisitionSeconds: 6 },
    );
    const reason = await reasonOf(withNeo4jAddress(uri, () => read(driver, 'neo4j', 'RETURN 1', {})));
    void driver.close();
    expect(reason.startsWith(`Neo4j at ${address} cannot be reached: `)).toBe(true);
    expect(expected.filter((words) => !reason.includes(words))).toStrictEqual([]);
  });
});

describe.concurrent('MongoDB', () => {
  it.each<readonly [string, Port, string, readonly string[]]>([
    ['nothing listening', 'none', '', ['nothing listens there', 'MONGODB_URI']],
    ['a server that never answers', 'silent', '', ['the server does not answer']],
    ['a server that closes the connection', 'closing', '', ['closed the connection', 'tls=true']],
    ['TLS to a server without', 'web', '?tls=true', ['does not speak TLS']],
    ['a self-signed certificate', 'tls', '?tls=true', ['self-signed', 'NODE_EXTRA_CA_CERTS']],
  ])('%s has its own message, with the address and advice', async (_, port, options, expected) => {
    const address = `localhost:${ports[port]}`;
    const client = connectMongodb(`mongodb://me:s3cret@${address}/${options}`, { selectionMillis: 4_000 });
    const reason = await reasonOf(pingMongodb(client.db('documents')));
    await client.close();
    expect(reason.startsWith(`MongoDB at ${address} cannot be reached: `)).toBe(true);
    expect(expected.filter((words) => !reason.includes(words))).toStrictEqual([]);
  });

  it('an unknown host name has its own message, with mongodb+srv:// too', async () => {
    for (const uri of ['mongodb://me:s3cret@no-such.invalid/?tls=true', 'mongodb+srv://me:s3cret@no-such.invalid/']) {
      const client = connectMongodb(uri, { selectionMillis: 2_000 });
      expect(await reasonOf(pingMongodb(client.db('documents')))).toContain('its host name cannot be resolved');
      await client.close();
    }
  });
});

it('a certificate for another name, an expired one and a busy pool have their own messages', () => {
  const reached = { server: 'Neo4j', setting: 'NEO4J_URI', withTls: '' } as const;
  const problem = (words: string) => connectionProblem([`Failed to connect. Caused by: ${words}`], reached)?.text;
  const untrusted = 'Server certificate is not trusted. Socket responded with:';
  expect(problem(`${untrusted} ERR_TLS_CERT_ALTNAME_INVALID`)).toContain('for another host name');
  expect(problem(`${untrusted} CERT_HAS_EXPIRED`)).toContain('has expired');
  expect(problem('Connection acquisition timed out in 10000 ms. Pool status: Active conn count = 10')).toContain(
    'in use',
  );
  expect(problem('The statement is wrong.')).toBeUndefined();
});
