/**
 * Finds free loopback ports for servers that are started on them later. They are below the range that the system gives
 * to outgoing connections (32768 and up on Linux), so that none of those takes the port before the server does.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const lowest = 12_000;
const highest = 32_000;

/** Ports that this process has handed out. Others draw at random as well, and hardly ever the same. */
const given = new Set<number>();

/** A port of 127.0.0.1 that nothing listens on, and that no other call returns. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
